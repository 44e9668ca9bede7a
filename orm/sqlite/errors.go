package sqlite

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/retort-web/retort/orm"
)

// Result codes, https://www.sqlite.org/rescode.html.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeConstraint = 19
	codeNotADB     = 26

	codeCheck      = codeConstraint | 1<<8
	codeForeignKey = codeConstraint | 3<<8
	codeNotNull    = codeConstraint | 5<<8
	codePrimaryKey = codeConstraint | 6<<8
	codeTrigger    = codeConstraint | 7<<8
	codeUnique     = codeConstraint | 8<<8
	codeRowID      = codeConstraint | 10<<8
)

// codedError is the error of modernc.org/sqlite.
type codedError interface {
	error
	Code() int
}

// codeOf is the extended result code of an error; 0 if it has none. That of
// mattn/go-sqlite3 is in the field ExtendedCode.
func codeOf(err error) int {
	if c, ok := errors.AsType[codedError](err); ok {
		return c.Code()
	}
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() != reflect.Struct {
			continue
		}
		if code := v.FieldByName("ExtendedCode"); code.IsValid() && code.CanInt() {
			return int(code.Int())
		}
	}
	return 0
}

// codeMoved is the extended code of a write to a file that was moved or deleted.
const codeMoved = codeReadOnly | 4<<8

// breaks reports an error after which the connection is of no more use.
func breaks(err error) bool {
	switch code := codeOf(err); code & 0xff {
	case codeIOErr, codeCorrupt, codeCantOpen, codeNotADB:
		return true
	default:
		return code == codeMoved
	}
}

// classify turns the driver's errors into those of package orm.
func classify(err error) error {
	switch code := codeOf(err); code & 0xff {
	case codeConstraint:
		return constraint(code, err)
	case codeBusy, codeLocked:
		return fmt.Errorf("%w: %w", orm.ErrLocked, err)
	case codeReadOnly:
		return fmt.Errorf("%w: %w", orm.ErrReadOnly, err)
	case codeFull:
		return fmt.Errorf("%w: %w", orm.ErrFull, err)
	case codeIOErr, codeCorrupt, codeCantOpen, codeNotADB:
		return fmt.Errorf("%w: %w", orm.ErrUnavailable, err)
	}
	if text := err.Error(); strings.Contains(text, outOfRange) || strings.Contains(text, "integer overflow") {
		return fmt.Errorf("%w: %w", orm.ErrValue, err)
	}
	return err
}

// constraint reads the columns, or the name of a check, from the message: SQLite
// gives them nowhere else. They come after "constraint failed: ", as
// "blog_post.slug, blog_post.author_id" or "index 'name'" or a check's name.
func constraint(code int, err error) error {
	e := &orm.ConstraintError{Err: err}
	switch code {
	case codeUnique, codePrimaryKey, codeRowID:
		e.Kind = orm.UniqueConstraint
	case codeForeignKey:
		e.Kind = orm.ForeignKeyConstraint
	case codeTrigger:
		// The RESTRICT of a foreign key is a trigger inside SQLite.
		if !strings.Contains(err.Error(), "FOREIGN KEY") {
			return err
		}
		e.Kind = orm.ForeignKeyConstraint
	case codeNotNull:
		e.Kind = orm.NotNullConstraint
	case codeCheck:
		e.Kind = orm.CheckConstraint
	default:
		return err
	}
	_, detail, found := cutLast(err.Error(), "constraint failed: ")
	if !found || e.Kind == orm.ForeignKeyConstraint {
		return e
	}
	if i := strings.LastIndex(detail, " ("); i >= 0 {
		detail = detail[:i] // the driver adds the code
	}
	if e.Kind == orm.CheckConstraint || strings.HasPrefix(detail, "index ") {
		e.Constraint = strings.Trim(strings.TrimPrefix(detail, "index "), "'")
		return e
	}
	for item := range strings.SplitSeq(detail, ", ") {
		table, column, ok := cutLast(item, ".")
		if !ok {
			continue
		}
		// What stands for a schema is a part of the table's name.
		if e.Schema, e.Table, ok = strings.Cut(table, "."); !ok {
			e.Schema, e.Table = "", table
		}
		e.Columns = append(e.Columns, column)
	}
	return e
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
