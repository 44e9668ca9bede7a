package orm

import (
	"fmt"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// ExclusionDef declares an exclusion constraint; see [Exclude].
type ExclusionDef struct {
	name    string
	members []exclusionMember
	where   *Cond
	method  string
	delayed bool
}

type exclusionMember struct {
	of any
	op string
}

// Exclude declares that of any two rows at least one pair of members does not compare
// true, which PostgreSQL enforces with an index of the kind "gist". No room is booked
// twice at a time:
//
//	orm.Exclude("room_is_free").Over(&b.Room, "=").Over(orm.Period(&b.From, &b.Until), "&&")
//
// (For "=" on a number or text PostgreSQL needs the extension btree_gist.) A row that it
// refuses is an error of which [IsUnique] is true, with the name of the constraint. On
// other databases a migration with one is an error.
func Exclude(name string) ExclusionDef { return ExclusionDef{name: name} }

// Over adds a member, a pointer to a field or a [Period], and the operator by which it is
// compared: "=", "<>", or one of PostgreSQL's, such as "&&" for ranges that overlap.
func (e ExclusionDef) Over(member any, operator string) ExclusionDef {
	e.members = add(e.members, exclusionMember{member, operator})
	return e
}

// Where holds only the rows that meet the condition to it.
func (e ExclusionDef) Where(cond Cond) ExclusionDef {
	e.where = &cond
	return e
}

// Using makes the index of another kind, such as "spgist".
func (e ExclusionDef) Using(method string) ExclusionDef {
	e.method = method
	return e
}

// Deferred makes PostgreSQL look at the end of the transaction, and not before.
func (e ExclusionDef) Deferred() ExclusionDef {
	e.delayed = true
	return e
}

// Exclusions lists the constraints of [Meta.Exclusions].
func Exclusions(defs ...ExclusionDef) []ExclusionDef { return defs }

// PeriodDef is made by [Period].
type PeriodDef struct{ from, until any }

// Period is, in an exclusion constraint, the range from one field up to, and without,
// another of the same type: times, days or numbers. NULL is a range without end.
func Period(from, until any) PeriodDef { return PeriodDef{from, until} }

// ranges are the functions of PostgreSQL that make ranges.
var ranges = map[schema.Type]string{
	schema.DateTime: "tstzrange", schema.Date: "daterange", schema.Int32: "int4range",
	schema.Int64: "int8range", schema.Decimal: "numrange",
}

// rangeOf is the SQL of a period.
func (m *ModelInfo) rangeOf(p PeriodDef) (string, error) {
	from, err := m.indexed(p.from)
	if err != nil {
		return "", err
	}
	until, err := m.indexed(p.until)
	if err != nil {
		return "", err
	}
	function := ranges[from.Kind]
	if function == "" || from.Kind != until.Kind {
		return "", fmt.Errorf("a Period is of two times, days or numbers of one type, not of %s and %s", from.Name, until.Name)
	}
	return fmt.Sprintf("%s(%q, %q)", function, from.Column, until.Column), nil
}

// exclusion is the constraint as part of the table.
func (m *ModelInfo) exclusion(def ExclusionDef) (schema.Index, error) {
	index := schema.Index{Name: def.name, Method: def.method, Deferred: def.delayed}
	if index.Method == "" {
		index.Method = "gist"
	}
	if !naming.IsIdentifier(def.name) || !validName(index.Method) {
		return index, fmt.Errorf("%q cannot name an exclusion constraint, or %q its kind: letters, digits and _", def.name, index.Method)
	}
	if len(def.members) == 0 {
		return index, fmt.Errorf("the exclusion constraint %s has no members; add some with Over", def.name)
	}
	for _, member := range def.members {
		column := schema.IndexColumn{Exclude: member.op}
		if !validOperator(member.op) {
			return index, fmt.Errorf("%q in the exclusion constraint %s is not an operator", member.op, def.name)
		}
		var err error
		if period, ok := member.of.(PeriodDef); ok {
			column.Expr, err = m.rangeOf(period)
		} else {
			var f *FieldInfo
			if f, err = m.indexed(member.of); err == nil {
				column.Name = f.Column
			}
		}
		if err != nil {
			return index, err
		}
		index.Columns = append(index.Columns, column)
	}
	if def.where == nil {
		return index, nil
	}
	var err error
	index.Where, err = m.condition(*def.where)
	return index, err
}

// validOperator reports whether s can be an operator of PostgreSQL. Some of their
// characters could begin a comment and are left out.
func validOperator(s string) bool {
	for _, c := range []byte(s) {
		switch c {
		case '=', '<', '>', '&', '|', '~', '@', '#', '!', '^', '%', '+', '?':
		case '-':
			return s == "-|-"
		default:
			return false
		}
	}
	return s != ""
}
