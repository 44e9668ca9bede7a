package mysql

import (
	"math"
	"strconv"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.LockWaiter = Dialect{}

// LockTimeout returns the statements that set lock_wait_timeout, in whole seconds, and set
// it back.
func (Dialect) LockTimeout(d time.Duration) (begin, end []string) {
	seconds := max(int(math.Ceil(d.Seconds())), 1)
	return []string{
		// A statement that failed in this session may not have set it back.
		"SET @retort_lock_wait_timeout = CAST(COALESCE(@retort_lock_wait_timeout, @@SESSION.lock_wait_timeout) AS SIGNED)",
		"SET SESSION lock_wait_timeout = " + strconv.Itoa(seconds),
	}, []string{"SET SESSION lock_wait_timeout = @retort_lock_wait_timeout"}
}

// Session returns a query for the number of the connection.
func (Dialect) Session() string { return "SELECT CAST(CONNECTION_ID() AS CHAR)" }

// Blockers returns a query for other transactions that are open: neither database keeps a
// list of who holds a table unless it was told to. It needs the privilege PROCESS.
func (Dialect) Blockers(session string) string {
	return `SELECT CONCAT('perhaps connection ', p.id, ' of ', p.user, '@', p.host, ', in a transaction since ', t.trx_started, COALESCE(CONCAT(': ', LEFT(p.info, 200)), ''))
	FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
	WHERE p.id <> ` + quoteText(session) + ` AND p.db <=> DATABASE() ORDER BY t.trx_started LIMIT 5`
}
