package mysql

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// errorNumber returns the number of an error of the server, or 0.
func errorNumber(err error) int {
	for err != nil {
		if rest, ok := strings.CutPrefix(err.Error(), "Error "); ok {
			digits, _, _ := strings.Cut(rest, " ")
			if n, convErr := strconv.Atoi(strings.TrimRight(digits, ":")); convErr == nil {
				return n
			}
		}
		if list, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range list.Unwrap() {
				if n := errorNumber(e); n != 0 {
					return n
				}
			}
			return 0
		}
		err = errors.Unwrap(err)
	}
	return 0
}

// ends are the errors by which the server ends a connection or a statement, rather than
// answer it.
var ends = []int{1053, 1152, 1158, 1159, 1160, 1161, 1317, 1927, 3169}

// Refused reports an error that the server gave as its answer.
func (Dialect) Refused(err error) bool {
	n := errorNumber(err)
	return n != 0 && !slices.Contains(ends, n)
}

// done are the errors of a statement whose work is done: a table, column, index, key or
// constraint exists, or does not.
var done = []int{
	1050, 1060, 1061, 1068, 1304, 1359, 1537, 1826, 3822,
	1051, 1054, 1091, 1146, 1176, 1305, 1360, 1539, 3821, 3940,
}

// AlreadyDone reports that something exists twice or not at all.
func (Dialect) AlreadyDone(err error) bool {
	n := errorNumber(err)
	// MariaDB says so of a foreign key that it cannot add.
	return slices.Contains(done, n) || n == 1005 && strings.Contains(err.Error(), "errno: 121")
}

// Leftover returns nothing: a statement that changes tables is done or not.
func (Dialect) Leftover(string) (query, cleanup string) { return "", "" }
