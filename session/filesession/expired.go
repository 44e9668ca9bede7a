package filesession

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// stagedFor is how old a file is that was being written when the program was stopped.
const stagedFor = time.Hour

// DeleteExpired goes on where the call before it had reached its limit, so that calls until
// nothing is left look at each file once.
func (s *store) DeleteExpired(ctx context.Context, limit int) (deleted int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range shards {
		n, err := s.sweepShard(ctx, limit-deleted)
		deleted += n
		if err != nil || deleted >= limit {
			return deleted, err
		}
		s.sweep = (s.sweep + 1) % shards
	}
	return deleted, nil
}

// sweepShard deletes what has expired among the sessions of which the key begins with the
// two digits of s.sweep.
func (s *store) sweepShard(ctx context.Context, limit int) (deleted int, err error) {
	digits := strconv.FormatInt(int64(shards+s.sweep), 16)[1:]
	folder := filepath.Join(s.folder, "sessions", digits)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	now := time.Now()
	for _, entry := range entries {
		if deleted >= limit || ctx.Err() != nil {
			return deleted, ctx.Err()
		}
		info, err := entry.Info()
		if err != nil || now.Before(info.ModTime()) {
			continue // deleted meanwhile, or not expired
		}
		switch name := entry.Name(); {
		case isKey(name) && strings.HasPrefix(name, digits):
			done, err := s.dropExpired(name)
			if err != nil {
				return deleted, err
			}
			if done {
				deleted++
			}
		case strings.HasPrefix(name, stagedPrefix) && now.Sub(info.ModTime()) > stagedFor:
			_ = os.Remove(filepath.Join(folder, name))
		}
	}
	return deleted, nil
}

// dropExpired deletes a session if it has expired by what it says itself, and not by the
// time of the file, which a copy may have lost. What cannot be read is nobody's and goes too.
func (s *store) dropExpired(key string) (bool, error) {
	unlock, err := s.lock(key, key)
	if err != nil {
		return false, err
	}
	defer unlock()
	info, ok, err := s.describe(key)
	if err != nil || ok && time.Now().Before(info.Expires) {
		return false, err
	}
	return s.drop(info.User, key)
}
