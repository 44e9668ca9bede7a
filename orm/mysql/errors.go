package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
)

// Error numbers, https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
// and https://mariadb.com/kb/en/mariadb-error-code-reference/.
const (
	errDiskFull          = 1021
	errTooManyConns      = 1040
	errAccessDenied      = 1045
	errBadNull           = 1048
	errUnknownDatabase   = 1049
	errServerShutdown    = 1053
	errDuplicate         = 1062
	errFileFull          = 1114
	errHostBlocked       = 1129
	errPacketTooLarge    = 1153
	errTooManyUserConns  = 1203
	errLockWait          = 1205
	errLockTableFull     = 1206
	errDeadlock          = 1213
	errNoReferencedRow   = 1216
	errRowIsReferenced   = 1217
	errOutOfRange        = 1264
	errTruncated         = 1265
	errReadOnlyOption    = 1290
	errBadTime           = 1292
	errBadCharacters     = 1300
	errInterrupted       = 1317
	errNoDefault         = 1364
	errBadValue          = 1366
	errTooLong           = 1406
	errRowIsReferenced2  = 1451
	errNoReferencedRow2  = 1452
	errDuplicateNamed    = 1586
	errNumberOutOfRange  = 1690
	errReadOnlyTx        = 1792
	errReadOnlyMode      = 1836
	errConnectionKilled  = 1927
	errStatementTimeout  = 1969
	errRecordChanged     = 1020
	errQueryTimeout      = 3024
	errBadJSON           = 3140
	errNoWait            = 3572
	errCheckMySQL        = 3819
	errCheckMariaDB      = 4025
	errShutdownMySQL     = 3169
	errClientInteraction = 4031
)

// unsentError is a loss of the connection before the statement was run.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }

func (e *unsentError) Unwrap() error { return e.err }

func wasNotSent(err error) bool {
	_, unsent := errors.AsType[*unsentError](err)
	return unsent || errors.Is(err, driver.ErrBadConn)
}

// isLost reports that the connection is gone.
func isLost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || endsConnection(err)
}

// endsConnection reports an error of the server with which it hangs up.
func endsConnection(err error) bool {
	switch number(err) {
	case errServerShutdown, errConnectionKilled, errShutdownMySQL, errClientInteraction:
		return true
	}
	return false
}

func isInterrupted(err error) bool { return number(err) == errInterrupted }

func number(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// kinds are the errors, of package orm but for one, that numbers stand for.
var kinds = map[uint16]error{
	errDiskFull: orm.ErrFull, errFileFull: orm.ErrFull, errLockTableFull: orm.ErrFull,
	errTooManyConns: orm.ErrUnavailable, errTooManyUserConns: orm.ErrUnavailable, errServerShutdown: orm.ErrUnavailable,
	errHostBlocked: orm.ErrUnavailable, errConnectionKilled: orm.ErrUnavailable, errShutdownMySQL: orm.ErrUnavailable,
	errClientInteraction: orm.ErrUnavailable,
	errLockWait:          orm.ErrLocked, errNoWait: orm.ErrLocked,
	errDeadlock: orm.ErrDeadlock, errRecordChanged: orm.ErrSerialization,
	errReadOnlyOption: orm.ErrReadOnly, errReadOnlyTx: orm.ErrReadOnly, errReadOnlyMode: orm.ErrReadOnly,
	errOutOfRange: orm.ErrValue, errTruncated: orm.ErrValue, errBadTime: orm.ErrValue, errBadCharacters: orm.ErrValue,
	errBadValue: orm.ErrValue, errTooLong: orm.ErrValue, errNumberOutOfRange: orm.ErrValue, errBadJSON: orm.ErrValue,
	errPacketTooLarge: orm.ErrValue,
	// By Options.StatementTimeout, or a limit of the server's own.
	errStatementTimeout: context.DeadlineExceeded, errQueryTimeout: context.DeadlineExceeded,
}

// classify turns the driver's errors into those of package orm.
func classify(err error) error {
	if _, done := errors.AsType[*orm.ConstraintError](err); done {
		return err
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if kind := kinds[e.Number]; kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
		if c := constraint(e, err); c != nil {
			return c
		}
		return err
	}
	switch {
	case errors.Is(err, errClosed), isLost(err):
		return fmt.Errorf("%w: %w", orm.ErrUnavailable, err)
	case errors.Is(err, errQueue):
		return fmt.Errorf("%w: %w", orm.ErrLocked, err)
	case errors.Is(err, mysql.ErrPktTooLarge):
		return fmt.Errorf("%w: the statement is larger than the server's max_allowed_packet: %w", orm.ErrValue, err)
	}
	return err
}

var (
	duplicateKey = regexp.MustCompile(`(?s)^.*for key '(.+)'$`)
	// Names are quoted as the session's mode says.
	foreignKey   = regexp.MustCompile("fails \\((?:[`\"]([^`\"]*)[`\"]\\.)?[`\"]([^`\"]*)[`\"], CONSTRAINT [`\"]([^`\"]*)[`\"] FOREIGN KEY \\(([^)]*)\\)")
	checkName    = regexp.MustCompile("^(?:Check constraint '(.+)' is violated|CONSTRAINT [`\"](.+)[`\"] failed for (?:[`\"]([^`\"]*)[`\"]\\.)?[`\"]([^`\"]*)[`\"])")
	quotedColumn = regexp.MustCompile(`^(?:Column|Field) '([^']*)'`)
)

// constraint reads from the message what the server says nowhere else; nil if the error
// is of no constraint.
func constraint(e *mysql.MySQLError, err error) *orm.ConstraintError {
	c := &orm.ConstraintError{Err: err}
	switch e.Number {
	case errDuplicate, errDuplicateNamed:
		c.Kind = orm.UniqueConstraint
		if m := duplicateKey.FindStringSubmatch(e.Message); m != nil {
			table, key, both := strings.Cut(m[1], ".")
			if !both {
				table, key = "", m[1]
			}
			c.Table, c.Constraint = table, key
		}
	case errNoReferencedRow, errRowIsReferenced, errNoReferencedRow2, errRowIsReferenced2:
		c.Kind = orm.ForeignKeyConstraint
		if m := foreignKey.FindStringSubmatch(e.Message); m != nil {
			c.Schema, c.Table, c.Constraint = m[1], m[2], m[3]
			for column := range strings.SplitSeq(m[4], ", ") {
				c.Columns = append(c.Columns, strings.Trim(column, "`\""))
			}
		}
	case errCheckMySQL, errCheckMariaDB:
		c.Kind = orm.CheckConstraint
		if m := checkName.FindStringSubmatch(e.Message); m != nil {
			c.Constraint, c.Schema, c.Table = m[1]+m[2], m[3], m[4]
		}
	case errBadNull, errNoDefault:
		c.Kind = orm.NotNullConstraint
		if m := quotedColumn.FindStringSubmatch(e.Message); m != nil {
			c.Columns = []string{m[1]}
		}
	default:
		return nil
	}
	return c
}
