package sqlite

import "strings"

// Refused returns true: there is no connection to lose.
func (Dialect) Refused(err error) bool { return err != nil }

// AlreadyDone reports that something exists twice or not at all.
func (Dialect) AlreadyDone(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	for _, part := range []string{"already exists", "duplicate column name", "no such table", "no such column", "no such index", "no such trigger", "no such view"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// Leftover returns nothing: each statement is a transaction.
func (Dialect) Leftover(string) (query, cleanup string) { return "", "" }
