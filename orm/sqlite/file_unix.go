//go:build unix

package sqlite

import "syscall"

// fileID tells files apart.
type fileID struct{ stat syscall.Stat_t }

// identify looks which file is at a path. Each statement that writes does: it takes no memory,
// which os.Stat would.
func identify(path string) (f fileID, err error) {
	err = syscall.Stat(path, &f.stat)
	return f, err
}

func (f *fileID) same(other fileID) bool {
	return f.stat.Ino == other.stat.Ino && f.stat.Dev == other.stat.Dev
}
