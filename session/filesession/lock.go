package filesession

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// shards is how many folders the sessions are spread over, each with a lock.
const shards = 256

// shard returns the number of a key's folder, its first two digits.
func shard(key string) int {
	b, err := hex.DecodeString(key[:2])
	if err != nil {
		panic("filesession: not a key: " + key)
	}
	return int(b[0])
}

// lock waits until nobody else changes the sessions of two keys, which may be the same, in
// this process or another. The returned function ends it.
func (s *store) lock(one, two string) (unlock func(), err error) {
	// All take them in the same order, so that no two wait for each other.
	if shard(two) < shard(one) {
		one, two = two, one
	}
	first, err := s.lockShard(one)
	if err != nil || shard(one) == shard(two) {
		return first, err
	}
	second, err := s.lockShard(two)
	if err != nil {
		first()
		return nil, err
	}
	return func() { second(); first() }, nil
}

func (s *store) lockShard(key string) (unlock func(), err error) {
	mutex := &s.locks[shard(key)]
	mutex.Lock() // a goroutine waits here, and not a thread at the file
	f, err := s.openLock(key)
	if err == nil {
		if err = lockFile(f); err != nil {
			_ = f.Close()
		}
	}
	if err != nil {
		mutex.Unlock()
		return nil, err
	}
	return func() {
		_ = f.Close() // which ends the lock of the file
		mutex.Unlock()
	}, nil
}

func (s *store) openLock(key string) (*os.File, error) {
	path := filepath.Join(s.folder, "locks", key[:2])
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	}
	return f, err
}
