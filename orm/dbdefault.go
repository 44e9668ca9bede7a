package orm

import (
	"errors"
	"fmt"
)

// DefaultDef declares what the database fills into a column; see [DBDefault].
type DefaultDef struct {
	field any
	expr  Expr
}

// DBDefault declares that the database fills in a field which an insert leaves out because it
// is zero, by an expression of its own; the row then has the value. For a literal, or the
// present moment, the tag "db_default" says it shorter.
//
//	DBDefaults: orm.DBDefaults(
//		orm.DBDefault(&p.Code, orm.Lower(orm.V("NEW"))),
//		orm.DBDefault(&p.Key, orm.RawExpr("gen_random_uuid()")),  // PostgreSQL's own
//	)
//
// The expression knows no fields. It is of functions that all databases share, [Now], or SQL
// of one's own for the databases that the program runs on.
func DBDefault(field any, expr Expr) DefaultDef { return DefaultDef{field, expr} }

// DBDefaults lists the defaults of [Meta.DBDefaults].
func DBDefaults(defs ...DefaultDef) []DefaultDef { return defs }

// markDefaults notes what the model's Meta says of defaults.
func (m *ModelInfo) markDefaults() error {
	for _, def := range m.meta.DBDefaults {
		f, err := m.indexed(def.field)
		if err != nil {
			return fmt.Errorf("Meta of %s: DBDefaults: %w", m.Name, err)
		}
		if err := f.markDefault(def.expr); err != nil {
			return fmt.Errorf("Meta of %s: DBDefault of %s: %w", m.Name, f.Name, err)
		}
		m.filled = append(m.filled, f)
	}
	return nil
}

func (f *FieldInfo) markDefault(expr Expr) error {
	if f.PrimaryKey || f.Relation != nil || f.whole != nil || f.HasDefault || f.DBDefault || f.AutoNow || f.AutoAdd || f.Version || f.Computed {
		return errors.New("it is a key, or filled in in another way, or twice")
	}
	f.DBDefault = true
	if now, ok := expr.e.(*call); ok && now.f.Name == "now" {
		if !isMoment(f.Kind) {
			return errors.New("Now is for times and dates")
		}
		f.defaultNow = true
		return nil
	}
	of := operandOf(expr)
	if fields := f.model.fieldsIn(of); len(fields) > 0 {
		return fmt.Errorf("the expression names %s, but a default knows no fields; see Computed", fields[0].Name)
	}
	c := newCompiler(portable{}, f.model)
	c.inline = true
	of.write(c)
	sql := string(c.buf)
	if _, raw := of.(*rawExpr); raw && len(sql) > 2 {
		sql = sql[1 : len(sql)-1] // the dialect encloses it
	}
	f.defaultSQL = &sql
	return c.err
}
