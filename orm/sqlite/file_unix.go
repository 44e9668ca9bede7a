//go:build unix

package sqlite

import "syscall"

// fileID tells files apart.
type fileID struct{ stat syscall.Stat_t }

// identify looks which file is at a path. Each statement that writes does: it takes less memory
// than os.Stat.
func (f *fileID) identify(path string) error { return syscall.Stat(path, &f.stat) }

func (f *fileID) same(other *fileID) bool {
	return f.stat.Ino == other.stat.Ino && f.stat.Dev == other.stat.Dev
}
