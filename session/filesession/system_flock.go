//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package filesession

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lockFile waits until no other process has the file locked.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// checkOwner returns an error if somebody else may write to a folder.
func checkOwner(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("may be written to by other users")
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return errors.New("belongs to another user")
	}
	return nil
}
