package orm

import (
	"context"
	"strings"
	"time"
)

// QueryEvent is a statement that runs or has run.
type QueryEvent struct {
	// System is "sqlite", "postgresql" or "mysql", as OpenTelemetry calls it.
	System string
	SQL    string
	Args   []any // as sent; they may hold secrets, which SQL does not
	InTx   bool
	Start  time.Time
	// Set when it has ended:
	Duration time.Duration // until the last row was read
	Rows     int64         // read or changed
	Err      error
}

// QueryHook sees every statement, for logs, the debug page and tracing. Its
// methods are called from many goroutines at once.
type QueryHook interface {
	// QueryStart is called before; the context it returns runs the statement.
	QueryStart(ctx context.Context, e *QueryEvent) context.Context
	// QueryEnd is called when the statement, and the reading of its rows, has
	// ended.
	QueryEnd(ctx context.Context, e *QueryEvent)
}

// Operation is the first word of the statement: SELECT, INSERT, UPDATE …
func (e *QueryEvent) Operation() string {
	word := strings.TrimLeft(e.SQL, " \t\r\n(")
	if i := strings.IndexAny(word, " \t\r\n(;"); i >= 0 {
		word = word[:i]
	}
	return strings.ToUpper(word)
}

// Table is the first table that the statement names, or "". It is found by the words
// before it, so that of a statement written by hand it may be another name.
func (e *QueryEvent) Table() string {
	before := " FROM "
	switch e.Operation() {
	case "INSERT", "REPLACE":
		before = " INTO "
	case "UPDATE", "COPY":
		before = e.Operation() + " "
	case "SELECT", "DELETE", "WITH":
	default:
		return ""
	}
	i := strings.Index(strings.ToUpper(e.SQL), before)
	if i < 0 {
		return ""
	}
	name := strings.TrimLeft(e.SQL[i+len(before):], " \t\r\n")
	if name == "" || name[0] == '(' {
		return ""
	}
	if quote := name[0]; quote == '"' || quote == '`' {
		end := strings.IndexByte(name[1:], quote)
		if end < 0 {
			return ""
		}
		first, rest := name[1:end+1], name[end+2:]
		// The name of a schema comes before that of its table.
		if len(rest) > 1 && rest[0] == '.' && rest[1] == quote {
			if end = strings.IndexByte(rest[2:], quote); end >= 0 {
				return first + "." + rest[2:end+2]
			}
		}
		return first
	}
	if end := strings.IndexAny(name, " \t\r\n(,;)"); end >= 0 {
		name = name[:end]
	}
	return name
}

// system is what OpenTelemetry calls the kind of database.
func (db *DB) system() string {
	if name := db.Dialect(); name != "postgres" {
		return name
	}
	return "postgresql"
}
