package migrate

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/retort-web/retort/orm/schema"
)

// Literal turns a value that a person typed into an SQL literal for a column:
// text as it is, true and false, numbers, dates as 2006-01-02, times of day as
// 15:04:05, instants as 2006-01-02 15:04:05 in UTC or RFC 3339, "now" for any
// of these three, durations as 1h30m, bytes as hexadecimal digits.
func Literal(c *schema.Column, value string) (string, error) {
	literal, ok := literalOf(c, value)
	if !ok {
		return "", fmt.Errorf("migrate: %q is not a value of column %s, which is of type %s", value, c.Name, c.Type)
	}
	return literal, nil
}

func literalOf(c *schema.Column, value string) (string, bool) {
	switch c.Type {
	case schema.Bool:
		b, err := strconv.ParseBool(value)
		return strings.ToUpper(strconv.FormatBool(b)), err == nil
	case schema.Int16:
		return integer(value, 16)
	case schema.Int32:
		return integer(value, 32)
	case schema.Int64:
		return integer(value, 64)
	case schema.Duration:
		if d, err := time.ParseDuration(value); err == nil {
			return strconv.FormatInt(int64(d), 10), true
		}
		return integer(value, 64)
	case schema.Float64:
		f, err := strconv.ParseFloat(value, 64)
		finite := err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
		return strconv.FormatFloat(f, 'g', -1, 64), finite
	case schema.Decimal:
		return value, isDecimal(value)
	case schema.Date, schema.Time, schema.DateTime:
		return moment(c.Type, value)
	case schema.UUID:
		id := strings.ToLower(value)
		return quoteText(id), isUUID(id)
	case schema.JSON:
		return quoteText(value), json.Valid([]byte(value))
	case schema.Bytes:
		_, err := hex.DecodeString(value)
		return "X'" + value + "'", err == nil
	case schema.String:
		return quoteText(value), isText(value) && (c.Size == 0 || utf8.RuneCountInString(value) <= c.Size)
	case schema.Text:
		return quoteText(value), isText(value)
	}
	return "", false
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// isText refuses what databases refuse or cut off.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func integer(value string, bits int) (string, bool) {
	n, err := strconv.ParseInt(value, 10, bits)
	return strconv.FormatInt(n, 10), err == nil
}

func isDecimal(value string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (r == '-') {
			return false
		} else if !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}

// moment writes a date, a time of day or an instant in the fixed width in
// which text sorts by time.
func moment(kind schema.Type, value string) (string, bool) {
	layout := historyTime
	inputs := []string{"2006-01-02 15:04:05", "2006-01-02", time.RFC3339Nano}
	switch kind {
	case schema.Date:
		layout, inputs = "2006-01-02", []string{"2006-01-02"}
	case schema.Time:
		layout, inputs = "15:04:05.000000", []string{"15:04:05", "15:04"}
	}
	if value == "now" {
		return quoteText(time.Now().UTC().Format(layout)), true
	}
	for _, input := range inputs {
		if t, err := time.Parse(input, value); err == nil {
			return quoteText(t.UTC().Format(layout)), true
		}
	}
	return "", false
}
