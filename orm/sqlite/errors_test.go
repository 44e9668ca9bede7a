package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

// coded is an error with a result code.
type coded struct {
	code int
	text string
}

func (e coded) Error() string { return e.text }

func (e coded) Code() int { return e.code }

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code   int
		want   error
		breaks bool
	}{
		{codeBusy, orm.ErrLocked, false},
		{codeBusy | 1<<8, orm.ErrLocked, false},
		{codeLocked, orm.ErrLocked, false},
		{codeReadOnly, orm.ErrReadOnly, false},
		{codeMoved, orm.ErrReadOnly, true},
		{codeFull, orm.ErrFull, false},
		{codeIOErr | 1<<8, orm.ErrUnavailable, true},
		{codeCorrupt, orm.ErrUnavailable, true},
		{codeCantOpen, orm.ErrUnavailable, true},
		{codeNotADB, orm.ErrUnavailable, true},
	} {
		err := fmt.Errorf("wrapped: %w", coded{tt.code, "text"})
		if got := classify(err); !errors.Is(got, tt.want) || !errors.Is(got, err) {
			t.Errorf("%d: %v", tt.code, got)
		}
		if breaks(err) != tt.breaks {
			t.Errorf("%d: breaks is %v", tt.code, !tt.breaks)
		}
	}
	plain := errors.New("plain")
	if classify(plain).Error() != "plain" || breaks(plain) || breaks(nil) {
		t.Error("an error without code is changed")
	}
	if err := (coded{1, "syntax"}); classify(err).Error() != "syntax" {
		t.Error("an unknown code is changed")
	}
}

func TestConstraintMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code        int
		text        string
		kind        orm.ConstraintKind
		table, name string
		columns     []string
	}{
		{codeUnique, "constraint failed: UNIQUE constraint failed: post.slug (2067)", orm.UniqueConstraint, "post", "", []string{"slug"}},
		{codeUnique, "UNIQUE constraint failed: post.a, post.b", orm.UniqueConstraint, "post", "", []string{"a", "b"}},
		{codeUnique, "UNIQUE constraint failed: index 'lower_name'", orm.UniqueConstraint, "", "lower_name", nil},
		{codePrimaryKey, "UNIQUE constraint failed: post.id", orm.UniqueConstraint, "post", "", []string{"id"}},
		{codeNotNull, "NOT NULL constraint failed: post.title (1299)", orm.NotNullConstraint, "post", "", []string{"title"}},
		{codeCheck, "CHECK constraint failed: positive (275)", orm.CheckConstraint, "", "positive", nil},
		{codeForeignKey, "FOREIGN KEY constraint failed (787)", orm.ForeignKeyConstraint, "", "", nil},
		{codeTrigger, "FOREIGN KEY constraint failed", orm.ForeignKeyConstraint, "", "", nil},
		{codeUnique, "in other words", orm.UniqueConstraint, "", "", nil},
	} {
		got, ok := errors.AsType[*orm.ConstraintError](classify(coded{tt.code, tt.text}))
		if !ok || got.Kind != tt.kind || got.Table != tt.table || got.Constraint != tt.name || !slices.Equal(got.Columns, tt.columns) {
			t.Errorf("%s: %+v", tt.text, got)
		}
	}
	if err := classify(coded{codeTrigger, "a trigger's own words"}); orm.IsForeignKey(err) {
		t.Error("a trigger's error is a foreign key's")
	}
}

// failing is a driver whose connections fail with an error when told to.
type failing struct{ conns []*failingConn }

func (f *failing) Open(string) (driver.Conn, error) {
	c := &failingConn{}
	f.conns = append(f.conns, c)
	return c, nil
}

type failingConn struct {
	err    error
	closed bool
}

func (c *failingConn) Prepare(string) (driver.Stmt, error) { return failingStmt{c}, nil }
func (c *failingConn) Close() error                        { c.closed = true; return nil }
func (c *failingConn) Begin() (driver.Tx, error)           { return nil, errors.New("not used") }

type failingStmt struct{ c *failingConn }

func (failingStmt) Close() error                               { return nil }
func (failingStmt) NumInput() int                              { return -1 }
func (failingStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.New("not used") }

func (failingStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errors.New("not used") }

func (s failingStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return okResult{}, s.c.err
}

type okResult struct{}

func (okResult) LastInsertId() (int64, error) { return 1, nil }
func (okResult) RowsAffected() (int64, error) { return 1, nil }

func TestBrokenConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	f := &failing{}
	d, err := open(t.Context(), "x.db", Options{Driver: f, QueueTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	exec := func() error {
		_, err := d.Exec(t.Context(), orm.Statement{SQL: "x"})
		return err
	}
	f.conns[0].err = coded{codeIOErr, "disk"}
	if err := d.Classify(exec()); !errors.Is(err, orm.ErrUnavailable) {
		t.Error(err)
	}
	if !f.conns[0].closed {
		t.Error("the broken connection is kept")
	}
	if err := exec(); err != nil {
		t.Error(err)
	}
	if len(f.conns) != 2 || f.conns[1].closed {
		t.Errorf("%d connections", len(f.conns))
	}
	if err := d.Close(); err != nil || !f.conns[1].closed {
		t.Error(err)
	}
}
