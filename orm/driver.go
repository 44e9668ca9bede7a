package orm

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/retort-web/retort/orm/schema"
)

// Driver opens databases of one kind. A driver's package registers it under
// its URL scheme when it is imported. Not stable: the interfaces in this file
// may change as databases are added.
type Driver interface {
	// Open connects to the database of a URL. It does not keep ctx.
	Open(ctx context.Context, url string) (Backend, error)
}

// Backend is an open database. Its methods may be called concurrently.
type Backend interface {
	Querier
	// Dialect says how its SQL is spelled.
	Dialect() Dialect
	// Schema writes its DDL.
	Schema() schema.Dialect
	// Begin starts a transaction.
	Begin(ctx context.Context, options TxOptions) (Tx, error)
	// Classify turns a driver's error into this package's errors, wrapping
	// it. It keeps an error it does not know.
	Classify(err error) error
	Close() error
}

// Querier runs statements. Values of arguments are nil, bool, int64, float64,
// string, []byte or time.Time.
type Querier interface {
	Query(ctx context.Context, s Statement) (Rows, error)
	Exec(ctx context.Context, s Statement) (Result, error)
}

// Statement is one SQL statement with its arguments.
type Statement struct {
	SQL  string
	Args []any
	// Write tells a backend with separate readers that the statement
	// changes data.
	Write bool
	// Once tells that the text will hardly come again: preparing it for
	// reuse is of no use.
	Once bool
}

// Tx is a transaction of a backend. It is used by one goroutine at a time.
type Tx interface {
	Querier
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Rows is the result of a query, read once, forwards.
type Rows interface {
	Columns() []string
	Next() bool
	// Scan stores the row into cells, one for each column.
	Scan(cells []Cell) error
	// Values returns the row as plain values, owned by the caller.
	Values() ([]any, error)
	// Close ends the reading. It may be called again.
	Close()
	// Err is the error that ended the reading, that of Close included.
	Err() error
}

// Result is the outcome of a statement without rows.
type Result struct {
	// Affected is the number of rows changed.
	Affected int64
	// LastID is the key the database gave the last row inserted, for
	// databases that tell.
	LastID int64
}

// Dialect is the spelling of queries in one kind of database.
type Dialect interface {
	// Name is "sqlite", "postgres" or "mysql".
	Name() string
	// Returning reports that INSERT … RETURNING works. A database without it
	// tells the key in Result.LastID.
	Returning() bool
	// Quirks says where the database departs from the SQL of the compiler.
	Quirks() Quirks
	// OnConflict appends to an INSERT what happens where a row is in the way.
	OnConflict(b []byte, k ConflictClause) []byte
	// Quote appends a quoted identifier.
	Quote(b []byte, name string) []byte
	// Placeholder appends the n-th parameter, counted from 1.
	Placeholder(b []byte, n int) []byte
	// MaxParameters is the most parameters one statement may have.
	MaxParameters() int
	// Bind turns a value into the form the database stores.
	Bind(value any) any
	// Literal appends a value as SQL text, for constraints and indexes.
	Literal(b []byte, value any) ([]byte, error)
	// Match appends a text match of column, which is SQL, with a pattern
	// that is a parameter, and returns the parameter's value.
	Match(b []byte, m Match, column, placeholder string, text string) ([]byte, string)
	// Lock appends what makes a SELECT lock its rows; nothing where rows are not
	// locked one by one.
	Lock(b []byte, l Lock) []byte
	// Function spells a function: its SQL with %1 for the first argument, %* for all of
	// them and %% for a percent sign. Empty means the standard spelling.
	Function(f Function) (string, error)
	// JSONPath is the parameter by which a path of keys, which are strings, and
	// indexes, which are ints, is given to the functions whose name begins with json.
	JSONPath(path []any) any
	// Explain is what stands before a SELECT to have it explained.
	Explain(o ExplainOptions) (string, error)
	// InArray appends a test that column, which is SQL, is among the values of
	// one array parameter, and returns the parameter; false if the
	// database cannot do that for these values.
	InArray(b []byte, column, placeholder string, values []any) ([]byte, any, bool)
}

// Quirks are the ways in which a database departs from the SQL that the compiler
// writes. The zero value is a database without any.
type Quirks struct {
	// NoNullsOrder: ORDER BY … NULLS FIRST is unknown. NULL is then taken to be less
	// than any value.
	NoNullsOrder bool
	// DeriveSubqueries: a subquery with a LIMIT, and one over the table that is being
	// changed, must stand in a table of its own.
	DeriveSubqueries bool
	// NullsLarge: without NULLS FIRST or NULLS LAST, ORDER BY takes NULL to be more
	// than any value. On the other databases it is less.
	NullsLarge bool
	// NoLastID: Result.LastID is not told. The key of a single row comes by RETURNING
	// as those of several do.
	NoLastID bool
	// NoUpsertKey: an INSERT with the text of OnConflict returns no rows. The key of
	// the row that was in the way is asked for by a query of its own.
	NoUpsertKey bool
	// NoMaterialized: WITH takes neither MATERIALIZED nor NOT MATERIALIZED.
	NoMaterialized bool
	// NoKeyLocks: there is no lock of a row that lets others insert rows which refer to it.
	NoKeyLocks bool
	// NoSchemas: a point in the name of a table is a part of it like any other, and parts
	// no schema from it.
	NoSchemas bool
	// KeyStep, on a database without RETURNING, lies between the keys of the rows of one
	// INSERT, of which Result.LastID is then the first. Zero if they are not known to
	// follow one another; then rows are inserted one by one.
	KeyStep int64
}

// ConflictClause says what an INSERT does where a row is in the way. Names are those of
// columns.
type ConflictClause struct {
	Key    string   // the primary key or, of a join table, one of its columns
	Same   []string // the unique columns that are meant; none for any
	Update []string // what gets the values of the new row; none leaves the row as it is
}

// Match is a kind of text match.
type Match struct {
	Place    MatchPlace
	FoldCase bool
}

// MatchPlace is where in the column a text is looked for.
type MatchPlace int

// The places of a match.
const (
	MatchAnywhere MatchPlace = iota
	MatchStart
	MatchEnd
	MatchWhole
)

var drivers = struct {
	sync.RWMutex
	byScheme map[string]Driver
}{byScheme: map[string]Driver{}}

// RegisterDriver makes a driver known under a URL scheme. It panics if the
// scheme is taken.
func RegisterDriver(scheme string, d Driver) {
	drivers.Lock()
	defer drivers.Unlock()
	if _, taken := drivers.byScheme[scheme]; taken {
		panic("orm: a driver for " + scheme + " is registered already")
	}
	drivers.byScheme[scheme] = d
}

// driverOf picks the driver of a URL. The error does not repeat the URL, which
// may hold a password.
func driverOf(url string) (Driver, error) {
	scheme, _, ok := strings.Cut(url, ":")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/\\@? ") {
		return nil, fmt.Errorf("orm: the database URL has no scheme; write it as sqlite:site.db or postgres://…")
	}
	drivers.RLock()
	defer drivers.RUnlock()
	if d, found := drivers.byScheme[scheme]; found {
		return d, nil
	}
	known := make([]string, 0, len(drivers.byScheme))
	for name := range drivers.byScheme {
		known = append(known, name)
	}
	sort.Strings(known)
	if len(known) == 0 {
		return nil, fmt.Errorf("orm: no database driver is linked in; import one, such as _ \"github.com/retort-web/retort/orm/sqlite\"")
	}
	return nil, fmt.Errorf("orm: no driver for %q databases (linked in: %s); import its package", scheme, strings.Join(known, ", "))
}
