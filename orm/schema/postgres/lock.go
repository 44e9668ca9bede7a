package postgres

import (
	"strconv"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.LockWaiter = Dialect{}

// LockTimeout returns the statement that sets lock_timeout for a transaction.
func (Dialect) LockTimeout(d time.Duration) (begin, end []string) {
	return []string{"SET LOCAL lock_timeout = " + strconv.FormatInt(max(d.Milliseconds(), 1), 10)}, nil
}

// Session returns a query for the process of the server.
func (Dialect) Session() string { return "SELECT pg_backend_pid()::text" }

// Blockers returns a query for the sessions that keep a process waiting, and what they did
// last.
func (Dialect) Blockers(session string) string {
	return `SELECT 'process ' || pid || coalesce(' of ' || usename, '') || coalesce(' (' || nullif(application_name, '') || ')', '') ||
		coalesce(', ' || state, '') || coalesce(', in a transaction since ' || to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS'), '') || coalesce(': ' || nullif(left(query, 200), ''), '')
	FROM pg_catalog.pg_stat_activity WHERE pid = ANY(pg_blocking_pids(` + quoteText(session) + `::integer)) ORDER BY xact_start`
}
