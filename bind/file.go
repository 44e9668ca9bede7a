package bind

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A File is one uploaded file.
type File struct {
	// Filename is what the client calls the file. It may hold paths, reserved
	// names and any characters: use [File.CleanName] to make a name of it.
	Filename string

	// ContentType is what the client says of the content, often by the name
	// alone. It may be empty.
	ContentType string

	// Size is the number of bytes received.
	Size int64

	memory []byte
	disk   *os.File // what is above the limit for memory
	path   string   // of disk, if it still has a name
	closed atomic.Bool
}

// UnmarshalJSON refuses: a File that no form sent would have a name and size
// but no content.
func (*File) UnmarshalJSON([]byte) error { return errFromJSON }

var errFromJSON = errors.New("bind: a file can be sent by a multipart form only")

// A FileReader reads an uploaded file.
type FileReader interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
}

// errClosed is for files whose form was closed.
var errClosed = errors.New("bind: the uploaded file was removed at the end of its request; save it before")

// spoolError is a failure of this machine to keep a file.
type spoolError struct{ cause error }

func (e *spoolError) Error() string { return e.cause.Error() }

// spool takes in the content: up to memory bytes are kept, more goes to a
// temporary file.
func (f *File) spool(content io.Reader, memory int64) error {
	var start bytes.Buffer
	n, err := io.Copy(&start, io.LimitReader(content, max(memory, 0)+1))
	f.Size = n
	if err != nil {
		return err
	}
	if n <= memory {
		f.memory = start.Bytes()
		return nil
	}
	disk, err := os.CreateTemp("", "retort-upload-*")
	if err != nil {
		return &spoolError{fmt.Errorf("bind: an upload could not be kept: %w", err)}
	}
	f.disk = disk
	// Where the system allows it, the file loses its name at once, and so cannot
	// be left behind by a crash.
	if os.Remove(disk.Name()) != nil {
		f.path = disk.Name()
	}
	f.Size, err = f.fill(&start, content)
	if err != nil {
		return errors.Join(err, f.remove())
	}
	return nil
}

func (f *File) fill(start *bytes.Buffer, content io.Reader) (int64, error) {
	source := &sourceReader{reader: io.MultiReader(start, content)}
	n, err := io.Copy(f.disk, source)
	if err != nil && source.err == nil {
		err = &spoolError{fmt.Errorf("bind: an upload could not be kept: %w", err)}
	}
	return n, err
}

// sourceReader remembers whether it was reading that failed.
type sourceReader struct {
	reader io.Reader
	err    error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// Open returns a reader at the start of the file. Several may be used at once.
func (f *File) Open() (FileReader, error) {
	if f.closed.Load() {
		return nil, errClosed
	}
	if f.disk == nil {
		return sectionReader{io.NewSectionReader(bytes.NewReader(f.memory), 0, f.Size)}, nil
	}
	return sectionReader{io.NewSectionReader(f.disk, 0, f.Size)}, nil
}

type sectionReader struct{ *io.SectionReader }

func (sectionReader) Close() error { return nil }

// Save writes the file to path, which must not exist yet: the error is then
// [os.ErrExist]. What could not be written whole is removed again. The file is for
// its owner alone, whatever the umask; [os.Chmod] opens it to others. Never make the
// path from Filename.
func (f *File) Save(path string) (err error) {
	content, err := f.Open()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, content)
	if err = errors.Join(err, target.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// remove may run while a handler reads the file, when its client went away.
func (f *File) remove() error {
	if f.closed.Swap(true) || f.disk == nil {
		return nil
	}
	err := f.disk.Close()
	if f.path != "" {
		err = errors.Join(err, os.Remove(f.path))
	}
	return err
}

const maxCleanName = 100

// CleanName returns a file name made from Filename: no folders, no control or
// other special characters, no leading dot, nothing reserved on Windows, at most
// 100 bytes with the extension kept. It is "file" when nothing is left. It is
// not unique, and its extension is only a claim.
func (f *File) CleanName() string {
	name := f.Filename
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), strings.ContainsRune("-_.", r):
			return r
		}
		return '_'
	}, name)
	name = strings.TrimLeft(name, "._")
	name = strings.TrimRight(name, ".")
	extension := filepath.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	stem := strings.TrimSuffix(name, extension)
	if limit := maxCleanName - len(extension); len(stem) > limit {
		stem = strings.ToValidUTF8(stem[:limit], "")
	}
	if first, _, _ := strings.Cut(stem, "."); isDevice(first) {
		stem = "_" + stem
	}
	if strings.Trim(stem, "._-") == "" {
		stem = "file"
	}
	return strings.TrimRight(stem+extension, ".")
}

// isDevice reports whether Windows opens a device by this name, whatever the
// extension.
func isDevice(name string) bool {
	name = strings.ToUpper(name)
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "COM"); ok {
		name = rest
	} else if rest, ok := strings.CutPrefix(name, "LPT"); ok {
		name = rest
	} else {
		return false
	}
	switch name {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9":
		return true
	}
	return false
}
