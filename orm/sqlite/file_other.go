//go:build !unix

package sqlite

import "os"

// fileID tells files apart.
type fileID struct{ info os.FileInfo }

// identify looks which file is at a path.
func (f *fileID) identify(path string) (err error) {
	f.info, err = os.Stat(path)
	return err
}

func (f *fileID) same(other *fileID) bool { return os.SameFile(f.info, other.info) }
