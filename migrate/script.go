package migrate

import (
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// SQL returns the statements of one migration, or those that undo it, as a
// script for people to read. Go code is only named.
func (g *Graph) SQL(app, name string, dialect schema.Dialect, backward bool) (string, error) {
	n, err := g.find(app, name)
	if err != nil {
		return "", err
	}
	ancestors := map[*node]bool{}
	for _, a := range closure(n.parents, parentsOf) {
		ancestors[a] = true
	}
	state, err := g.replay(func(n *node) bool { return ancestors[n] })
	if err != nil {
		return "", err
	}
	operations, err := operationSteps(n.Operations, n.app, dialect, state, backward)
	if err != nil {
		return "", fmt.Errorf("migrate: %s: %w", n.id, err)
	}
	var b strings.Builder
	line := func(statement string) {
		b.WriteString(strings.TrimRight(statement, "; \n") + ";\n")
	}
	frame := dialect.Frame(sqlOf(operations))
	atomic := !runsBare(&n.Migration, dialect)
	for _, statement := range frame.Before {
		line(statement)
	}
	if atomic {
		line("BEGIN")
	}
	for _, statement := range frame.Begin {
		line(statement)
	}
	for _, o := range operations {
		b.WriteString("-- " + o.operation.Describe() + "\n")
		for _, action := range o.actions {
			switch {
			case action.Shown != "":
				b.WriteString("-- (in batches)\n")
				line(action.Shown)
			case action.Code != nil:
				b.WriteString("-- (Go code, which cannot be shown as SQL)\n")
			default:
				line(action.SQL)
			}
		}
	}
	if atomic {
		line("COMMIT")
	}
	for _, statement := range frame.After {
		line(statement)
	}
	return b.String(), nil
}
