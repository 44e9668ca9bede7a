package postgres

import (
	"errors"
	"regexp"
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

var concurrentIndex = regexp.MustCompile(`(?is)^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|\w+)\s+ON\s`)

// BeforeRepeat drops the index that CREATE INDEX CONCURRENTLY leaves behind, invalid,
// when it fails.
func (Dialect) BeforeRepeat(statement string) []string {
	if found := concurrentIndex.FindStringSubmatch(statement); found != nil {
		return []string{"DROP INDEX CONCURRENTLY IF EXISTS " + found[1]}
	}
	return nil
}
