package postgres

import (
	"errors"
	"regexp"
	"strings"
)

// Refused reports an error with an SQLSTATE of the statement, not of the connection.
func (Dialect) Refused(err error) bool {
	e, ok := errors.AsType[stateError](err)
	if !ok || len(e.SQLState()) != len("00000") {
		return false
	}
	switch e.SQLState()[:2] {
	case "08", "57", "58", "XX": // the connection, its end, the system
		return false
	}
	return true
}

// AlreadyDone reports that something exists twice or not at all.
func (Dialect) AlreadyDone(err error) bool {
	e, ok := errors.AsType[stateError](err)
	if !ok {
		return false
	}
	switch e.SQLState() {
	case "42P07", "42701", "42710", "42P16", // a table or index, a column, a constraint, a key exists
		"42P01", "42703", "42704": // … or does not
		return true
	}
	return false
}

const namePattern = `("(?:[^"]|"")+"|\w+)`

var concurrentIndex = regexp.MustCompile(`(?is)^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?` +
	namePattern + `\s+ON\s+(?:ONLY\s+)?(` + namePattern + `(?:\.` + namePattern + `)?)`)

// Leftover finds the index that CREATE INDEX CONCURRENTLY leaves behind, invalid, when
// it fails, and drops it.
func (Dialect) Leftover(statement string) (query, cleanup string) {
	found := concurrentIndex.FindStringSubmatch(statement)
	if found == nil {
		return "", ""
	}
	index, table, inSchema := found[1], found[2], found[4] != ""
	name := index
	if strings.HasPrefix(name, `"`) {
		name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	} else {
		name = strings.ToLower(name)
	}
	if inSchema {
		index = found[3] + "." + index
	}
	return "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass(" + quoteText(table) +
		") AND c.relname = " + quoteText(name) + " AND NOT i.indisvalid", "DROP INDEX CONCURRENTLY IF EXISTS " + index
}
