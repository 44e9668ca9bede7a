package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// metaOf are the entries of a model's Meta.
func (w *writer) metaOf(m *model) []string {
	var list []string
	inSchema, table := schemaOf(m.live.Name)
	if inSchema != "" {
		list = append(list, "Schema: "+strconv.Quote(inSchema))
	}
	if table != w.defaultTable(m.name) {
		list = append(list, "Table: "+strconv.Quote(table))
	}
	if m.live.Comment != "" {
		list = append(list, "Comment: "+strconv.Quote(m.live.Comment))
	}
	if m.unmanaged {
		list = append(list, "Unmanaged: true")
	}
	var indexes, uniques, exclusions, checks []string
	for i := range m.live.Indexes {
		index := &m.live.Indexes[i]
		switch code, why := w.index(m, index); {
		case m.own[index.Name]:
		case why != "":
			list = append(list, comment("The index %s %s.", index.Name, why))
		case index.Excludes():
			exclusions = append(exclusions, code)
		case index.Unique:
			uniques = append(uniques, code)
		default:
			indexes = append(indexes, code)
		}
	}
	for i, c := range m.live.Checks {
		sql := m.portable(c.SQL)
		if c.Name == "" {
			c.Name = naming.Object(objectPrefix(m.live.Name), "check"+strconv.Itoa(i+1))
		}
		if strings.Contains(sql, "{}") || !naming.IsIdentifier(c.Name) {
			list = append(list, comment("The check %s is left out: %s", c.Name, c.SQL))
			continue
		}
		checks = append(checks, fmt.Sprintf("orm.Check(%q, orm.RawCond(%s))", c.Name, goText(sql)))
	}
	list = appendList(list, "Indexes: orm.Indexes", indexes)
	list = appendList(list, "Unique: orm.Uniques", uniques)
	list = appendList(list, "Exclusions: orm.Exclusions", exclusions)
	list = appendList(list, "Checks: orm.Checks", checks)
	list = appendList(list, "Computed: orm.Computed", m.meta)
	list = appendList(list, "DBDefaults: orm.DBDefaults", m.defaults)
	if len(m.live.Triggers) > 0 {
		list = append(list, comment("The table has triggers, of which models know nothing: %s.", strings.Join(m.live.Triggers, ", ")))
	}
	return list
}

// comment is an entry that only says something.
func comment(format string, args ...any) string {
	return "// " + oneLine(fmt.Sprintf(format, args...))
}

func appendList(list []string, name string, items []string) []string {
	if len(items) == 0 {
		return list
	}
	return append(list, name+"(\n\t\t\t"+strings.Join(items, ",\n\t\t\t")+",\n\t\t)")
}

// index is the Go of an index; or why there is none.
func (w *writer) index(m *model, i *schema.Index) (code, why string) {
	if !naming.IsIdentifier(i.Name) {
		return "", "has a name that a model cannot give it"
	}
	var members []string
	for _, column := range i.Columns {
		member, why := w.member(m, column, i.Excludes())
		if why != "" {
			return "", why
		}
		members = append(members, member)
	}
	switch {
	case i.Excludes():
		code = "orm.Exclude(" + strconv.Quote(i.Name) + ")" + strings.Join(members, "")
		if i.Method != "gist" && i.Method != "" {
			code += ".Using(" + strconv.Quote(i.Method) + ")"
		}
	case i.Unique:
		code = "orm.UniqueTogether(" + strings.Join(members, ", ") + ")"
	default:
		code = "orm.Index(" + strings.Join(members, ", ") + ")"
		if i.Method != "" {
			code += ".Using(" + strconv.Quote(i.Method) + ")"
		}
	}
	if i.Where != "" {
		sql := m.portable(i.Where)
		if strings.Contains(sql, "{}") {
			return "", "has the condition " + sql
		}
		code += ".Where(orm.RawCond(" + goText(sql) + "))"
	}
	if len(i.Include) > 0 && !i.Excludes() {
		var include []string
		for _, name := range i.Include {
			path, ok := m.paths[name]
			if !ok {
				return "", "includes the column " + name
			}
			include = append(include, "&m."+path)
		}
		code += ".Include(" + strings.Join(include, ", ") + ")"
	}
	if i.Unique && i.NullsNotDistinct {
		code += ".NullsNotDistinct()"
	}
	if i.Deferred {
		code += ".Deferred()"
	}
	if !i.Excludes() {
		code += ".Named(" + strconv.Quote(i.Name) + ")"
	}
	return code, ""
}

// member is a column of an index.
func (w *writer) member(m *model, c schema.IndexColumn, exclusion bool) (code, why string) {
	if c.Name != "" {
		path, ok := m.paths[c.Name]
		if !ok {
			return "", "is over the column " + c.Name
		}
		code = "&m." + path
	} else {
		sql := m.portable(c.Expr)
		switch period := m.period(sql); {
		case exclusion && period != "":
			code = period
		case exclusion, strings.Contains(sql, "{}"):
			return "", "is over " + sql
		default:
			code = "orm.RawExpr(" + goText(sql) + ")"
		}
	}
	switch {
	case c.Exclude != "":
		return ".Over(" + code + ", " + strconv.Quote(c.Exclude) + ")", ""
	case c.OpClass != "" && c.Desc:
		return "", "has an operator class and goes down"
	case c.OpClass != "":
		code = "orm.OpClass(" + code + ", " + strconv.Quote(c.OpClass) + ")"
	case c.Desc:
		code = "orm.Desc(" + code + ")"
	}
	return code, ""
}

// periods are the ranges of an exclusion constraint that orm.Period makes.
var periods = regexp.MustCompile(`^(?:tstzrange|daterange|int4range|int8range|numrange)\("?([^",]+)"?, "?([^",]+)"?\)$`)

func (m *model) period(sql string) string {
	found := periods.FindStringSubmatch(sql)
	if found == nil || m.paths[found[1]] == "" || m.paths[found[2]] == "" {
		return ""
	}
	return "orm.Period(&m." + m.paths[found[1]] + ", &m." + m.paths[found[2]] + ")"
}

// portable is an expression of the database in the form in which models have SQL: names
// in double quotes.
func (m *model) portable(sql string) string {
	if m.dialect == "postgres" {
		return sql
	}
	b := []byte(sql)
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote == 0 && (c == '`' || c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		default:
			continue
		}
		if c == '`' {
			b[i] = '"'
		}
	}
	return string(b)
}
