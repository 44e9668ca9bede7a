package migrate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// site is models that change as those of a program do: each change is one that a
// person could make, and that can be undone with rows in the tables.
type site struct {
	r      *rand.Rand
	tables []*schema.Table
	number int // for new names

	// Of the fields, by Field:
	optional map[string]bool // can be removed, and come back
	distinct map[string]bool // has another value in each row

	// Of the last change:
	renames map[string]string // answers
	was     map[string]string // "table.column" by what it is called now
	touched map[string]bool   // tables that a change of this round was about
}

func newSite(r *rand.Rand) *site {
	s := &site{r: r, optional: map[string]bool{}, distinct: map[string]bool{}}
	s.touched = map[string]bool{}
	for range 3 {
		s.addModel()
	}
	return s
}

func (s *site) next(prefix string) string {
	s.number++
	return fmt.Sprintf("%s%d", prefix, s.number)
}

// change makes one to four changes, each to another table.
func (s *site) change() {
	s.renames, s.was, s.touched = map[string]string{}, map[string]string{}, map[string]bool{}
	for range 1 + s.r.IntN(4) {
		switch s.r.IntN(18) {
		case 0:
			s.addModel()
		case 1:
			s.removeModel()
			return
		case 2:
			s.renameModel()
			return
		case 3:
			s.addRelation()
		case 4:
			s.addJoin()
		case 5:
			s.moveModel()
			return
		case 6:
			s.changeKeyType()
			return
		default:
			t := s.pick()
			if t == nil {
				return
			}
			edits := []func(*schema.Table){
				s.addField, s.addField, s.removeField, s.renameField, s.alterField, s.alterField, s.alterField,
				s.addIndex, s.removeIndex, s.renameIndex, s.renameIndex, s.changeCheck, s.comment, s.comment, s.addGenerated, s.addGenerated,
			}
			edits[s.r.IntN(len(edits))](t)
		}
	}
}

// pick returns a table, with a key of its own, that was not touched yet.
func (s *site) pick() *schema.Table {
	var free []*schema.Table
	for _, t := range s.tables {
		if t.Column("id") != nil && !s.touched[t.Key()] {
			free = append(free, t)
		}
	}
	if len(free) == 0 {
		return nil
	}
	t := free[s.r.IntN(len(free))]
	s.touched[t.Key()] = true
	return t
}

// field returns a column without a part in anything else, for which match holds.
func (s *site) field(t *schema.Table, match func(c *schema.Column) bool) *schema.Column {
	var all []*schema.Column
	for i := range t.Columns {
		if c := &t.Columns[i]; !c.PrimaryKey && match(c) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[s.r.IntN(len(all))]
}

func used(t *schema.Table, c *schema.Column) bool {
	for i := range t.Indexes {
		if indexMentions(&t.Indexes[i], c.Name) {
			return true
		}
	}
	return slices.ContainsFunc(t.Checks, func(k schema.Check) bool { return mentions(k.SQL, c.Name) }) ||
		slices.ContainsFunc(t.Columns, func(other schema.Column) bool { return mentions(other.Generated, c.Name) })
}

func (s *site) addModel() {
	app := []string{"a", "b"}[s.r.IntN(2)]
	model := s.next("M")
	t := &schema.Table{App: app, Model: model, Name: app + "_" + strings.ToLower(model), Columns: []schema.Column{idColumn()}}
	for range 2 + s.r.IntN(4) {
		c := s.newColumn()
		s.distinct[c.Field] = c.Default == nil
		t.Columns = append(t.Columns, c)
	}
	s.touched[t.Key()] = true
	if target := s.pick(); target != nil && s.r.IntN(2) == 0 {
		t.Columns = append(t.Columns, s.relation(target, s.r.IntN(2) == 0))
	}
	s.tables = append(s.tables, t)
	if target := s.pick(); target != nil && s.r.IntN(2) == 0 {
		s.join(t, target)
	}
}

// join adds the join table of a relation from t to target.
func (s *site) join(t, target *schema.Table) {
	join := &schema.Table{App: t.App, Model: s.next("J"), Columns: []schema.Column{s.relation(t, false), s.relation(target, false)}}
	join.Name = t.App + "_" + strings.ToLower(join.Model)
	join.Columns[0].PrimaryKey, join.Columns[1].PrimaryKey = true, true
	s.touched[join.Key()] = true
	s.tables = append(s.tables, join)
}

func (s *site) addJoin() {
	t, target := s.pick(), s.pick()
	if t != nil && target != nil {
		s.join(t, target)
	}
}

// moveModel gives a model to the other app, with a new table name or the old.
func (s *site) moveModel() {
	t := s.pick()
	if t == nil {
		return
	}
	old := *t
	t.App = map[string]string{"a": "b", "b": "a"}[t.App]
	if s.r.IntN(3) > 0 {
		t.Name = t.App + "_" + strings.ToLower(t.Model)
	}
	s.renames[old.Key()] = t.Key()
	s.renamed(&old, t)
}

// changeKeyType changes the type of a key, and of all that refers to it.
func (s *site) changeKeyType() {
	t := s.pick()
	if t == nil {
		return
	}
	id := t.Column("id")
	id.Type = map[schema.Type]schema.Type{schema.Int64: schema.Int32, schema.Int32: schema.Int64}[id.Type]
	for _, other := range s.tables {
		for i := range other.Columns {
			if c := &other.Columns[i]; c.References != nil && c.References.Table == t.Name {
				c.Type = id.Type
			}
		}
	}
}

func (s *site) comment(t *schema.Table) {
	comment := []string{"", "it's " + s.next("comment")}[s.r.IntN(2)]
	if s.r.IntN(2) == 0 {
		t.Comment = comment
	} else if c := s.field(t, func(c *schema.Column) bool { return c.Generated == "" }); c != nil {
		c.Comment = comment
	}
}

// addGenerated adds a column that the database computes.
func (s *site) addGenerated(t *schema.Table) {
	base := s.field(t, func(c *schema.Column) bool { return c.Type == schema.Int64 && c.References == nil && c.Generated == "" })
	if base == nil {
		return
	}
	c := schema.Column{Name: s.next("g"), Type: schema.Int64, Null: true, Generated: `"` + base.Name + `" * 2`, Stored: s.r.IntN(2) == 0}
	c.Field = strings.ToUpper(c.Name)
	s.optional[c.Field] = true
	t.Columns = append(t.Columns, c)
}

func (s *site) renameIndex(t *schema.Table) {
	if n := len(t.Indexes); n > 0 {
		t.Indexes[s.r.IntN(n)].Name = s.next("i")
	}
}

func (s *site) newColumn() schema.Column {
	types := []schema.Type{
		schema.Bool, schema.Int16, schema.Int32, schema.Int64, schema.Int64, schema.Int64, schema.Float64, schema.Decimal, schema.String,
		schema.String, schema.Text, schema.Date, schema.DateTime, schema.UUID, schema.JSON,
	}
	c := schema.Column{Name: s.next("c"), Type: types[s.r.IntN(len(types))], Null: s.r.IntN(2) == 0}
	c.Field = strings.ToUpper(c.Name)
	switch c.Type {
	case schema.String:
		c.Size = 50
	case schema.Decimal:
		c.Size, c.Scale = 10, 2
	case schema.Int16, schema.Int32, schema.Int64, schema.Float64:
		if s.r.IntN(3) == 0 {
			c.Default = new("7")
		}
	}
	if c.Type == schema.String && s.r.IntN(3) == 0 {
		c.Default = new("'it''s'")
	}
	s.optional[c.Field] = c.Null || c.Default != nil
	return c
}

func (s *site) relation(target *schema.Table, null bool) schema.Column {
	c := schema.Column{
		Name: s.next("r"), Type: target.Column("id").Type, Null: null,
		References: &schema.Reference{Table: target.Name, Column: "id", OnDelete: schema.Cascade, Model: target.Key()},
	}
	c.Field = strings.ToUpper(c.Name)
	s.optional[c.Field] = null
	return c
}

func (s *site) addField(t *schema.Table) { t.Columns = append(t.Columns, s.newColumn()) }

func (s *site) addRelation() {
	t, target := s.pick(), s.pick()
	if t != nil && target != nil {
		t.Columns = append(t.Columns, s.relation(target, true))
	}
}

func (s *site) removeField(t *schema.Table) {
	c := s.field(t, func(c *schema.Column) bool { return s.optional[c.Field] && !used(t, c) })
	if c != nil {
		name := c.Name
		t.Columns = slices.DeleteFunc(t.Columns, func(other schema.Column) bool { return other.Name == name })
	}
}

func (s *site) renameField(t *schema.Table) {
	c := s.field(t, func(*schema.Column) bool { return true })
	if c == nil {
		return
	}
	old, field := c.Name, c.Field
	*t = *renameColumn(t, old, s.next("n"), "")
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Field == field {
			s.was[t.Name+"."+c.Name] = t.Name + "." + old
			if s.r.IntN(2) == 0 {
				c.Field = strings.ToUpper(c.Name)
				s.optional[c.Field], s.distinct[c.Field] = s.optional[field], s.distinct[field]
				s.renames[t.Key()+"."+old] = c.Name
			}
		}
	}
}

func (s *site) alterField(t *schema.Table) {
	c := s.field(t, func(c *schema.Column) bool { return c.References == nil && c.Generated == "" })
	if c == nil {
		return
	}
	switch s.r.IntN(5) {
	case 0:
		c.Null = !c.Null
		if !c.Null {
			s.optional[c.Field] = false
			s.distinct[c.Field] = false
		}
	case 1:
		if s.distinct[c.Field] && c.Type != schema.Bool && c.Type != schema.JSON && c.Default == nil {
			c.Unique = !c.Unique
		}
	case 2:
		if c.Type == schema.String {
			c.Size += 10
		}
	case 3:
		if c.Default != nil && c.Type != schema.String {
			c.Default = new("8")
		}
	case 4:
		wider := map[schema.Type]schema.Type{
			schema.Int16: schema.Int32, schema.Int32: schema.Int64, schema.Int64: schema.Text, schema.String: schema.Text, schema.Bool: schema.Int16,
		}
		if to := wider[c.Type]; to != "" && c.Default == nil && !used(t, c) {
			c.Type, c.Size = to, 0
		}
	}
}

func (s *site) addIndex(t *schema.Table) {
	first := s.field(t, func(c *schema.Column) bool { return c.Type != schema.JSON })
	second := s.field(t, func(c *schema.Column) bool { return c.Type != schema.JSON })
	if first == nil {
		return
	}
	i := schema.Index{Name: s.next("i"), Columns: []schema.IndexColumn{{Name: first.Name, Desc: s.r.IntN(2) == 0}}}
	if second.Name != first.Name {
		i.Columns = append(i.Columns, schema.IndexColumn{Name: second.Name})
	}
	i.Unique = s.distinct[first.Field] && first.Default == nil && first.Type != schema.Bool && s.r.IntN(2) == 0
	if s.r.IntN(3) == 0 {
		i.Where = `"` + second.Name + `" IS NOT NULL`
	}
	t.Indexes = append(t.Indexes, i)
}

func (s *site) removeIndex(t *schema.Table) {
	if n := len(t.Indexes); n > 0 {
		at := s.r.IntN(n)
		t.Indexes = slices.Delete(t.Indexes, at, at+1)
	}
}

func (s *site) changeCheck(t *schema.Table) {
	if n := len(t.Checks); n > 0 && s.r.IntN(2) == 0 {
		t.Checks = t.Checks[:n-1]
		return
	}
	c := s.field(t, func(c *schema.Column) bool { return c.Type == schema.Int64 && c.Generated == "" })
	if c != nil {
		t.Checks = append(t.Checks, schema.Check{Name: s.next("k"), SQL: `"` + c.Name + `" >= 0`})
	}
}

// removeModel removes a model and what refers to it, if that can come back.
func (s *site) removeModel() {
	t := s.pick()
	if t == nil || len(s.tables) < 3 {
		return
	}
	var kept []*schema.Table
	for _, other := range s.tables {
		if other == t || other.Column("id") == nil && refersTo(other, t) {
			continue
		}
		for _, c := range other.Columns {
			if c.References != nil && c.References.Table == t.Name && (!s.optional[c.Field] || used(other, &c)) {
				return
			}
		}
		kept = append(kept, other)
	}
	for _, other := range kept {
		other.Columns = slices.DeleteFunc(other.Columns, func(c schema.Column) bool { return c.References != nil && c.References.Table == t.Name })
	}
	s.tables = kept
}

func refersTo(t, target *schema.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.References != nil && c.References.Table == target.Name })
}

func (s *site) renameModel() {
	t := s.pick()
	if t == nil {
		return
	}
	old := *t
	t.Model = s.next("M")
	t.Name = t.App + "_" + strings.ToLower(t.Model)
	s.renames[old.Key()] = t.Model
	s.renamed(&old, t)
}

// renamed notes where the columns of a renamed table were, and redirects what
// refers to it.
func (s *site) renamed(old, t *schema.Table) {
	for _, c := range t.Columns {
		s.was[t.Name+"."+c.Name] = old.Name + "." + c.Name
	}
	for _, other := range s.tables {
		for i := range other.Columns {
			if r := other.Columns[i].References; r != nil && r.Table == old.Name {
				r.Table, r.Model = t.Name, t.Key()
			}
		}
	}
}
