package db

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/debugpage"
	"github.com/retort-web/retort/orm"
)

// The limits of what debug mode remembers of one request.
const (
	maxStatements = 200
	maxSQL        = 2000
	maxArgument   = 80
	maxArguments  = 30
)

// log is the statements of one request.
type log struct {
	mu         sync.Mutex
	statements []statement // the first maxStatements
	total      int
	elapsed    time.Duration
	counted    context.Context // where the guard counts
	logger     *slog.Logger    // of the request
	path       string
}

// statement is one statement that ran.
type statement struct {
	sql     string
	args    string
	elapsed time.Duration
	rows    int64
	err     error
	inTx    bool
}

var logKey = retort.NewKey[*log]("SQL of the request")

// watch gives each request of debug mode its log, and looks at it in the end.
func (e *Extension) watch(c *retort.Ctx) error {
	if !e.watching.Load() {
		return nil
	}
	l := &log{counted: e.guard.Watch(context.Background()), logger: c.Logger(), path: c.Path()}
	logKey.Set(c, l)
	c.Defer(func() { l.hint(c, e.options.SlowQuery) })
	return nil
}

// watcher is the [orm.QueryHook] that fills the logs and asks the guard.
type watcher struct{ guard *orm.QueryGuard }

// QueryStart implements orm.QueryHook.
func (w watcher) QueryStart(ctx context.Context, e *orm.QueryEvent) context.Context {
	if l, ok := logKey.Get(ctx); ok {
		w.guard.QueryStart(requestContext{ctx, l.counted}, e)
	}
	return ctx
}

// requestContext is the context of a query together with what the guard counts of the
// request.
type requestContext struct {
	context.Context
	counted context.Context
}

// Value looks in both.
func (c requestContext) Value(key any) any {
	if v := c.counted.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// reportRepeated tells the developer of a loop that asks the database for each row.
func reportRepeated(ctx context.Context, r orm.RepeatedQuery) {
	l := logKey.Must(ctx)
	l.logger.Warn("a line asks the database again and again", "line", r.File+":"+strconv.Itoa(r.Line), "count", r.Times, "path", l.path, "hint", r.Hint(),
		"sql", clip(r.SQL, maxSQL))
}

// QueryEnd implements orm.QueryHook.
func (watcher) QueryEnd(ctx context.Context, e *orm.QueryEvent) {
	l, ok := logKey.Get(ctx)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.elapsed += e.Duration
	if len(l.statements) < maxStatements {
		l.statements = append(l.statements, statement{
			sql: clip(e.SQL, maxSQL), args: formatArgs(e.SQL, e.Args), elapsed: e.Duration, rows: e.Rows, err: e.Err, inTx: e.InTx,
		})
	}
}

// hint tells the developer of statements that will be a burden.
func (l *log) hint(c *retort.Ctx, slow time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.statements {
		if s.elapsed >= slow {
			c.Logger().Debug("slow statement", "took", s.elapsed, "rows", s.rows, "path", c.Path(), "sql", s.sql,
				"hint", "look at its plan with EXPLAIN QUERY PLAN; an index may be missing")
		}
	}
}

// statements is the section of the error page.
func statements(c *retort.Ctx) (title string, rows [][2]string) {
	l, ok := logKey.Get(c)
	if !ok {
		return "", nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range l.statements {
		name := fmt.Sprintf("%d. %s, %d rows", i+1, milliseconds(s.elapsed), s.rows)
		if s.inTx {
			name += ", in transaction"
		}
		text := s.sql
		if s.args != "" {
			text += "\n" + s.args
		}
		if s.err != nil {
			text += "\nfailed: " + s.err.Error()
		}
		rows = append(rows, [2]string{name, text})
	}
	if more := l.total - len(l.statements); more > 0 {
		rows = append(rows, [2]string{"…", strconv.Itoa(more) + " more"})
	}
	plural := "s"
	if l.total == 1 {
		plural = ""
	}
	return fmt.Sprintf("SQL (%d statement%s, %s)", l.total, plural, milliseconds(l.elapsed)), rows
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + " ms"
}

// formatArgs writes the arguments of a statement, or that they are hidden
// because one of them may be a secret.
func formatArgs(sql string, args []any) string {
	if len(args) == 0 {
		return ""
	}
	if name := secretColumn(sql); name != "" {
		return "-- values hidden: the statement compares or writes " + name
	}
	var b strings.Builder
	b.WriteString("-- ")
	for i, arg := range args {
		if i == maxArguments {
			fmt.Fprintf(&b, " … %d more", len(args)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		switch v := arg.(type) {
		case nil:
			b.WriteString("NULL")
		case string:
			b.WriteString(strconv.Quote(clip(v, maxArgument)))
		case []byte:
			fmt.Fprintf(&b, "(%d bytes)", len(v))
		default:
			b.WriteString(clip(fmt.Sprint(v), maxArgument))
		}
	}
	return b.String()
}

// secretColumn returns a column with a secret name that the statement's values
// may belong to: one that is written, or one in the conditions of a query.
func secretColumn(sql string) string {
	upper := strings.ToUpper(sql)
	if strings.HasPrefix(upper, "SELECT") || strings.HasPrefix(upper, "DELETE") {
		if i := strings.Index(upper, " WHERE "); i >= 0 {
			sql = sql[i:]
		}
	}
	for rest := sql; ; {
		i := strings.IndexAny(rest, "\"`")
		if i < 0 {
			break
		}
		end := strings.IndexByte(rest[i+1:], rest[i])
		if end < 0 {
			break
		}
		name := rest[i+1 : i+1+end]
		before := strings.ToUpper(strings.TrimRight(rest[:i], " "))
		rest = rest[i+end+2:]
		isTable := strings.HasPrefix(rest, ".") || strings.HasSuffix(before, "INTO") || strings.HasSuffix(before, "UPDATE") ||
			strings.HasSuffix(before, "FROM") || strings.HasSuffix(before, "JOIN")
		if !isTable && debugpage.IsSecretName(name) {
			return name
		}
	}
	// SQL written by hand need not quote its names.
	for _, word := range strings.FieldsFunc(sql, func(r rune) bool { return !isNameRune(r) }) {
		switch strings.ToUpper(word) {
		case "KEY", "KEYS", "AUTHORIZATION", "PRIVATE", "SESSION":
			continue
		}
		if !strings.Contains(sql, "\""+word+"\"") && debugpage.IsSecretName(word) {
			return word
		}
	}
	return ""
}

func isNameRune(r rune) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// clip shortens text for people.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 { // not inside a character
		most--
	}
	return s[:most] + "…"
}
