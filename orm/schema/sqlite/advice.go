package sqlite

import (
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Adviser = Dialect{}

// Advice says what to do about missing rights and room.
func (Dialect) Advice(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "readonly"), strings.Contains(text, "read only"):
		return "see that the user of this process may write to the file and its folder, and that the URL does not say read_only"
	case strings.Contains(text, "disk is full"), strings.Contains(text, "database full"):
		return "make room on the disk: a table that is built anew needs its size once more"
	}
	return ""
}
