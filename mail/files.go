package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Files writes each message to a file of its own, "20060102-150405.000000-xxxx.eml",
// so that names sort by time. A file is there whole or not at all, and only its
// owner may read it.
type Files struct{ Dir string }

// Send implements [Mailer].
func (f *Files) Send(ctx context.Context, envelopes []*Envelope) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	var failed []Failure
	for _, e := range envelopes {
		if err := errors.Join(ctx.Err(), f.write(e)); err != nil {
			failed = append(failed, Failure{Message: e.Message, Err: err, Temporary: true})
		}
	}
	if len(failed) > 0 {
		return &SendError{failed}
	}
	return nil
}

func (f *Files) write(e *Envelope) (err error) {
	text, err := e.Bytes()
	if err != nil {
		return err
	}
	name := filepath.Join(f.Dir, time.Now().UTC().Format("20060102-150405.000000")+"-"+rand.Text()[:8]+".eml")
	temporary := name + ".part"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		if gone := os.Remove(temporary); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
