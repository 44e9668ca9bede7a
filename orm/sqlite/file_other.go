//go:build !unix

package sqlite

import "os"

// fileID tells files apart.
type fileID struct{ info os.FileInfo }

// identify looks which file is at a path.
func identify(path string) (fileID, error) {
	info, err := os.Stat(path)
	return fileID{info}, err
}

func (f *fileID) same(other fileID) bool { return os.SameFile(f.info, other.info) }
