package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/retort-web/retort/orm"
)

// SQLSTATEs, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeNotNull              = "23502"
	codeForeignKey           = "23503"
	codeUnique               = "23505"
	codeCheck                = "23514"
	codeExclusion            = "23P01"
	codeRestrict             = "23001"
	codeSerialization        = "40001"
	codeDeadlock             = "40P01"
	codeLockNotAvailable     = "55P03"
	codeUndefinedFunction    = "42883"
	codeInvalidText          = "22P02"
	codeReadOnly             = "25006"
	codeQueryCanceled        = "57014"
	codeTooManyConnections   = "53300"
	codeDiskFull             = "53100"
	codeAdminShutdown        = "57P01"
	codeCrashShutdown        = "57P02"
	codeCannotConnectNow     = "57P03"
	codeIdleSessionTimeout   = "57P05"
	codeIdleInTransaction    = "25P03"
	classConnection          = "08"
	classData                = "22"
	classInsufficient        = "53"
	classIntegrityConstraint = "23"
)

func isClosedPool(err error) bool { return strings.Contains(err.Error(), "closed pool") }

func isCancelled(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == codeQueryCanceled
}

// classify turns the errors of pgx, and of the server, into those of package orm.
func classify(err error) error {
	switch {
	case errors.Is(err, errClosed), isClosedPool(err):
		return fmt.Errorf("%w: %w", orm.ErrUnavailable, err)
	case errors.Is(err, errQueue):
		return fmt.Errorf("%w: %w", orm.ErrLocked, err)
	case errors.Is(err, errNUL):
		return fmt.Errorf("%w: %w", orm.ErrValue, err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifyServer(e, err)
	}
	if isConnectionFailure(err) {
		return fmt.Errorf("%w: %w", orm.ErrUnavailable, err)
	}
	return err
}

func classifyServer(e *pgconn.PgError, err error) error {
	if e.Code == codeUndefinedFunction && strings.Contains(e.Message, "digest(") {
		return fmt.Errorf("postgres: SHA1 needs the extension pgcrypto, which CREATE EXTENSION pgcrypto adds; SHA256 needs none: %w", err)
	}
	class := e.Code[:min(2, len(e.Code))]
	kind := error(nil)
	switch e.Code {
	case codeSerialization:
		kind = orm.ErrSerialization
	case codeDeadlock:
		kind = orm.ErrDeadlock
	case codeLockNotAvailable:
		kind = orm.ErrLocked
	case codeQueryCanceled:
		// Somebody who cancels it has the same code. Servers that speak another language
		// say it in that, and the error stays what it is.
		if strings.Contains(e.Message, "statement timeout") {
			kind = context.DeadlineExceeded
		}
	case codeReadOnly:
		kind = orm.ErrReadOnly
	case codeDiskFull:
		kind = orm.ErrFull
	case codeTooManyConnections, codeAdminShutdown, codeCrashShutdown, codeCannotConnectNow, codeIdleSessionTimeout, codeIdleInTransaction:
		kind = orm.ErrUnavailable
	default:
		switch class {
		case classIntegrityConstraint:
			return constraint(e, err)
		case classData:
			kind = orm.ErrValue
		case classConnection, classInsufficient:
			kind = orm.ErrUnavailable
		}
	}
	if kind == nil {
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// isConnectionFailure reports that the server could not be reached, or was lost.
func isConnectionFailure(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "unexpected EOF") || strings.Contains(text, "conn closed") || strings.Contains(text, "failed to receive message")
}

var constraintKinds = map[string]orm.ConstraintKind{
	codeUnique: orm.UniqueConstraint, codeExclusion: orm.UniqueConstraint,
	codeForeignKey: orm.ForeignKeyConstraint, codeRestrict: orm.ForeignKeyConstraint,
	codeNotNull: orm.NotNullConstraint, codeCheck: orm.CheckConstraint,
}

func constraint(e *pgconn.PgError, err error) error {
	kind := constraintKinds[e.Code]
	if kind == "" {
		return err
	}
	c := &orm.ConstraintError{Kind: kind, Schema: e.SchemaName, Table: e.TableName, Err: err}
	switch kind {
	case orm.NotNullConstraint:
		c.Columns = []string{e.ColumnName}
	case orm.UniqueConstraint:
		c.Columns = keyColumns(e.Detail)
	case orm.ForeignKeyConstraint:
		if !isReferenced(e) {
			c.Columns = keyColumns(e.Detail)
		}
	}
	if len(c.Columns) == 0 {
		c.Constraint = e.ConstraintName
	}
	return c
}

// keyColumns reads the columns of "Key (slug, author_id)=(x, 1) already exists.",
// whose parentheses are the same in every language. An expression among them makes
// it nothing: its column is not known.
func keyColumns(detail string) []string {
	_, rest, ok := strings.Cut(detail, "(")
	if !ok {
		return nil
	}
	names, _, ok := strings.Cut(rest, ")=(")
	if !ok {
		return nil
	}
	var columns []string
	for name := range strings.SplitSeq(names, ", ") {
		if strings.ContainsAny(name, "(:") {
			return nil
		}
		if quoted, ok := strings.CutPrefix(name, `"`); ok {
			name = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
		}
		columns = append(columns, name)
	}
	return columns
}

// isReferenced tells the deletion of a row that others reference from a reference to a
// row that does not exist: then the detail names the table of the reference itself,
// and its key is the one of the other table.
func isReferenced(e *pgconn.PgError) bool {
	return e.Code == codeRestrict || strings.Contains(e.Detail, "still referenced") ||
		strings.Contains(e.Detail, `"`+e.TableName+`"`) && !strings.Contains(e.Detail, "is not present")
}
