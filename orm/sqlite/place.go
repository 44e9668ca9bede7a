package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lookEvery is how old the knowledge of a place may be for those who read.
const lookEvery = 200 * time.Millisecond

var errMoved = errors.New("sqlite: the file of the database was moved or removed; put it back, or a backup in its place")

// place is where the file of a database is. SQLite holds its files open and does not
// look whether they are still there: what is written to one that was removed is gone with
// the process, and a new connection would make an empty database beside those that go on
// with the old one (https://www.sqlite.org/howtocorrupt.html, section 4.2). A nil place
// is that of a database in memory.
type place struct {
	path string

	mu      sync.Mutex
	watched bool // there was a file
	file    fileID
	there   fileID // as the last look found it
	number  int    // of files that have been here before this one
	looked  time.Time
	err     error
}

// newPlace makes the path independent of the working directory.
func newPlace(path string) *place {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return &place{path: path}
}

// settle notes which file the database is. A driver may keep it elsewhere than in a file
// of that name; then nothing is watched.
func (p *place) settle() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file.identify(p.path) == nil {
		p.watched, p.looked = true, time.Now()
	}
}

// look returns the number of the file that is there now, or errMoved. Writers look each
// time, readers now and then.
func (p *place) look(writes bool) (int, error) {
	if p == nil {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.watched {
		return 0, nil
	}
	if !writes {
		now := time.Now()
		if now.Sub(p.looked) < lookEvery {
			return p.number, p.err
		}
		p.looked = now
	}
	err := p.there.identify(p.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		p.err = errMoved
	case err != nil:
		// Perhaps it was interrupted: no reason to give up what works.
		p.err = nil
	default:
		p.err = nil
		if !p.file.same(&p.there) {
			p.file = p.there
			p.number++
		}
	}
	return p.number, p.err
}
