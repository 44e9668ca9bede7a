package postgres

import (
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// isConstraint reports an index that is made, and dropped, as a constraint.
func isConstraint(i *schema.Index) bool { return i.Deferred || i.Excludes() }

// addConstraint writes a deferred unique, or an exclusion, constraint.
func addConstraint(t *schema.Table, i *schema.Index) string {
	var b strings.Builder
	b.WriteString("ALTER TABLE " + quoteName(t.Name) + " ADD CONSTRAINT " + quoteName(i.Name))
	if i.Excludes() {
		b.WriteString(" EXCLUDE USING " + quoteName(strings.ToLower(i.Method)))
	} else {
		b.WriteString(" UNIQUE")
		if i.NullsNotDistinct {
			b.WriteString(" NULLS NOT DISTINCT")
		}
	}
	var columns, include []string
	for _, c := range i.Columns {
		column := quoteName(c.Name)
		if c.Expr != "" {
			column = "(" + c.Expr + ")"
		}
		if c.Exclude != "" {
			column += " WITH " + c.Exclude
		}
		columns = append(columns, column)
	}
	for _, name := range i.Include {
		include = append(include, quoteName(name))
	}
	b.WriteString(" (" + strings.Join(columns, ", ") + ")")
	if len(include) > 0 {
		b.WriteString(" INCLUDE (" + strings.Join(include, ", ") + ")")
	}
	if i.Where != "" {
		b.WriteString(" WHERE (" + i.Where + ")")
	}
	if i.Deferred {
		b.WriteString(" DEFERRABLE INITIALLY DEFERRED")
	}
	return b.String()
}
