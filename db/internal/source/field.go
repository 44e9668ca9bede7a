package source

import (
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// makeKey settles the type of a key of several columns.
func (w *writer) makeKey(m *model) {
	keys := m.primary()
	if len(keys) > 1 {
		m.key = unique(w.taken, m.name+"Key")
	}
	if len(keys) > 0 || len(m.live.Columns) == 0 {
		return
	}
	stand := &m.live.Columns[0]
	for i := range m.live.Columns {
		if c := &m.live.Columns[i]; c.Unique && !c.Null {
			stand = c
			break
		}
	}
	stand.PrimaryKey, stand.Null, m.unmanaged = true, false, true
	what := "table"
	if m.live.View {
		what = "view"
	}
	m.say("The %s has no primary key. %s stands for one: its values must be unique, and not NULL.", what, stand.Name)
}

// target is the model that a column refers to; nil if it refers to none that a foreign
// key of a model can lead to, and why.
func (w *writer) target(m *model, c *schema.Column) (to *model, why string) {
	r := c.References
	if r == nil {
		return nil, ""
	}
	if to = w.byTable[r.Table]; to == nil {
		return nil, "refers to " + r.Table + "." + r.Column + ", of which there is no model here"
	}
	keys := to.primary()
	switch {
	case len(keys) != 1 || keys[0].Name != r.Column:
		return nil, "refers to " + r.Table + "." + r.Column + ", which is not the primary key"
	case keys[0].Type != c.Type || keys[0].Native[w.options.Dialect] != c.Native[w.options.Dialect]:
		return nil, "refers to " + r.Table + "." + r.Column + ", which is of another type"
	case to == m && c.PrimaryKey:
		return nil, "refers to the key itself"
	}
	return to, ""
}

// uniqueTarget is the model, and its column, that a column refers to which is unique and
// not the primary key; nil if it is none that the tag "to" can name.
func (w *writer) uniqueTarget(m *model, c *schema.Column) (to *model, key *schema.Column) {
	if c.References == nil || w.byTable[c.References.Table] == nil {
		return nil, nil
	}
	to = w.byTable[c.References.Table]
	key = to.live.Column(c.References.Column)
	dialect := w.options.Dialect
	if key == nil || !key.Unique || key.Null || key.PrimaryKey || key.References != nil || key.Generated != "" || !naming.IsIdentifier(key.Name) ||
		key.Type != c.Type || key.Native[dialect] != c.Native[dialect] || goTypes[key.Type] == "" || key.Type == schema.Bytes || key.Type == schema.JSON {
		return nil, nil
	}
	return to, key
}

// keyType is the Go type of a model's key.
func (w *writer) keyType(m *model) string {
	if m.key != "" {
		return m.key
	}
	keys := m.primary()
	if len(keys) == 0 {
		return "int64"
	}
	if to, _ := w.target(m, &keys[0]); to != nil {
		return w.keyType(to)
	}
	var f field
	w.typeOf(&f, &keys[0])
	return f.typ
}

// makeFields makes the fields of a model.
func (w *writer) makeFields(m *model) {
	if m.key != "" {
		m.names["Key"] = true
		m.fields = append(m.fields, &field{name: "Key", typ: m.key, tag: []string{"pk"}})
	}
	if w.embedsModel(m) {
		m.names["Model"] = true
	}
	references := w.composites(m)
	partNames := map[string]bool{}
	for i := range m.live.Columns {
		c := &m.live.Columns[i]
		if !naming.IsIdentifier(c.Name) {
			m.say("The column %q is left out, for a model cannot have that name.", c.Name)
			continue
		}
		if r := references[c.Name]; r != nil {
			if r.columns[0] == c.Name {
				w.addComposite(m, r)
			}
			continue
		}
		if m.key != "" && c.PrimaryKey {
			f := w.column(m, c, partNames, "Key.")
			m.parts = append(m.parts, f)
			continue
		}
		m.fields = append(m.fields, w.column(m, c, m.names, ""))
	}
}

// embedsModel reports that the key of the table is that of orm.Model.
func (w *writer) embedsModel(m *model) bool {
	keys := m.primary()
	if len(keys) != 1 {
		return false
	}
	k := keys[0]
	return k.Name == "id" && k.Type == schema.Int64 && k.References == nil && k.Comment == "" && (k.AutoIncrement || m.unmanaged)
}

// column makes the field of one column.
func (w *writer) column(m *model, c *schema.Column, names map[string]bool, within string) *field {
	if c.PrimaryKey && within == "" && w.embedsModel(m) {
		names["ID"] = true
		m.paths[c.Name] = "ID"
		return &field{typ: "orm.Model"}
	}
	if w.options.Dialect == "sqlite" && c.Type == schema.Int64 && c.Default != nil && (*c.Default == "TRUE" || *c.Default == "FALSE") {
		c.Type = schema.Bool // SQLite has no type for these
	}
	to, why := w.target(m, c)
	if to != nil {
		return w.foreignKey(m, c, to, names, within)
	}
	if to, key := w.uniqueTarget(m, c); to != nil && within == "" {
		var f field
		w.typeOf(&f, key)
		made := w.foreignKey(m, c, to, names, within)
		made.typ, made.to, made.toField = "orm.ForeignKey["+to.name+", "+f.typ+"]", to, key.Name
		if c.Unique || c.PrimaryKey {
			made.typ = "orm.UniqueForeignKey[" + to.name + ", " + f.typ + "]"
		}
		return made
	}
	f := &field{name: unique(names, goName(c.Name))}
	m.paths[c.Name] = within + f.name
	if c.PrimaryKey && within == "" {
		f.tag = append(f.tag, "pk")
	}
	w.typeOf(f, c)
	makeNull(f, c)
	if why != "" {
		f.say("The column %s.", why)
	}
	if c.Unique && !c.PrimaryKey {
		f.tag = append(f.tag, "unique")
	}
	if naming.Snake(f.name) != c.Name {
		f.tag = append(f.tag, word("column", c.Name))
	}
	if c.PrimaryKey && within == "" && !c.AutoIncrement && (c.Type == schema.Int64 || c.Type == schema.Int32) {
		f.say("The database does not count these keys: set them before Insert.")
	}
	if c.Generated == "" {
		m.describe(f, c)
	} else {
		w.computed(m, f, c)
	}
	if index := naming.Object(objectPrefix(m.live.Name), c.Name, "idx"); m.hasPlainIndex(index, c.Name) && !c.PrimaryKey {
		f.tag = append(f.tag, "index")
		m.own[index] = true
	}
	return f
}

// computed notes that the database computes the column.
func (w *writer) computed(m *model, f *field, c *schema.Column) {
	sql := m.portable(c.Generated)
	if strings.Contains(sql, "{}") {
		f.say("The database computes the column: %s.", c.Generated)
		return
	}
	compute := "orm.Compute(&m." + m.paths[c.Name] + ", orm.RawExpr(" + goText(sql) + "))"
	if c.Stored {
		compute += ".Stored()"
	}
	m.meta = append(m.meta, compute)
	m.comment(f, c)
}

// hasPlainIndex reports that the table has an index of that name over just these columns.
func (m *model) hasPlainIndex(name string, columns ...string) bool {
	i := m.live.Index(name)
	if i == nil || i.Unique || i.Where != "" || i.Method != "" || len(i.Include) > 0 || len(i.Columns) != len(columns) {
		return false
	}
	for n, column := range i.Columns {
		if column.Name != columns[n] || column.Desc || column.OpClass != "" {
			return false
		}
	}
	return true
}

// onDelete are the words of the tag.
var onDelete = map[schema.OnDelete]string{
	schema.Cascade: "cascade", schema.SetNull: "set_null", schema.SetDefault: "set_default", schema.NoAction: "no_action",
}

// relationTag is the part of the tag that all foreign keys have.
func relationTag(f *field, null bool, action schema.OnDelete) {
	if null {
		f.tag = append(f.tag, "null")
	}
	word := onDelete[action]
	if action == schema.SetNull && !null {
		f.say("The database would set the key to NULL, which the column does not allow.")
		word = "no_action"
	}
	if word != "" {
		f.tag = append(f.tag, "on_delete="+word)
	}
}

// relationType is the Go type of a foreign key.
func (w *writer) relationType(to *model, unique bool) string {
	key := w.keyType(to)
	switch {
	case key == "int64" && unique:
		return "orm.OneToOne[" + to.name + "]"
	case key == "int64":
		return "orm.FK[" + to.name + "]"
	case unique:
		return "orm.UniqueForeignKey[" + to.name + ", " + key + "]"
	}
	return "orm.ForeignKey[" + to.name + ", " + key + "]"
}

// foreignKey makes the field of a reference of one column.
func (w *writer) foreignKey(m *model, c *schema.Column, to *model, names map[string]bool, within string) *field {
	base := c.Name
	if rest, ok := strings.CutSuffix(base, "_id"); ok && rest != "" {
		base = rest
	}
	f := &field{name: unique(names, goName(base))}
	m.paths[c.Name] = within + f.name
	alone := c.PrimaryKey && within == ""
	if alone {
		f.tag = append(f.tag, "pk")
	}
	f.typ = w.relationType(to, c.Unique || alone)
	relationTag(f, c.Null, c.References.OnDelete)
	if naming.Snake(f.name)+"_id" != c.Name {
		f.tag = append(f.tag, word("column", c.Name))
	}
	m.comment(f, c)
	if c.Default != nil {
		f.say("The database fills in %s where an insert leaves the column out.", *c.Default)
	}
	if !c.Unique && !alone && (within == "" || len(m.parts) > 0) {
		m.ownIndex(f, c.Name)
	}
	return f
}

// ownIndex settles whether a foreign key has the index that it has by itself.
func (m *model) ownIndex(f *field, columns ...string) {
	index := naming.Object(append(append([]string{objectPrefix(m.live.Name)}, columns...), "idx")...)
	if m.hasPlainIndex(index, columns...) {
		m.own[index] = true
		return
	}
	f.tag = append(f.tag, "no_index")
}

// composite is a reference of several columns, in the order of the key they refer to.
type composite struct {
	to      *model
	columns []string
	keys    []string
	null    bool
	action  schema.OnDelete
}

// composites finds the references of several columns that a field can be made of, by
// their columns.
func (w *writer) composites(m *model) map[string]*composite {
	found := map[string]*composite{}
	for _, k := range m.live.ForeignKeys {
		r, why := w.composite(m, k, found)
		if why != "" {
			m.say("The columns %s refer to %s of %s, %s.", strings.Join(k.Columns, ", "), strings.Join(k.References, ", "), k.Table, why)
			continue
		}
		for _, name := range r.columns {
			found[name] = r
		}
	}
	return found
}

func (w *writer) composite(m *model, k schema.ForeignKey, found map[string]*composite) (r *composite, why string) {
	r = &composite{to: w.byTable[k.Table], action: k.OnDelete}
	if r.to == nil {
		return nil, "of which there is no model here"
	}
	keys := r.to.primary()
	if len(keys) != len(k.References) {
		return nil, "which is not its primary key"
	}
	for _, key := range keys {
		n := slices.Index(k.References, key.Name)
		if n < 0 {
			return nil, "which is not its primary key"
		}
		c := m.live.Column(k.Columns[n])
		switch {
		case c == nil || c.PrimaryKey:
			return nil, "which a field cannot say of columns that are part of the key"
		case found[c.Name] != nil || c.References != nil:
			return nil, "which a field cannot say of columns that belong to another reference as well"
		case c.Type != key.Type:
			return nil, "which are of another type"
		}
		r.columns, r.keys = append(r.columns, c.Name), append(r.keys, key.Name)
		r.null = r.null || c.Null
	}
	// The field stands where the first of its columns stands.
	return r, ""
}

// addComposite makes the field of a reference of several columns.
func (w *writer) addComposite(m *model, r *composite) {
	prefix := ""
	if rest, ok := strings.CutSuffix(r.columns[0], "_"+r.keys[0]); ok {
		prefix = rest
	}
	base := prefix
	if base == "" {
		base = r.to.name
	}
	f := &field{name: unique(m.names, goName(base)), typ: w.relationType(r.to, false)}
	relationTag(f, r.null, r.action)
	usual := true
	for i, column := range r.columns {
		usual = usual && column == naming.Snake(f.name)+"_"+r.keys[i]
		m.paths[column] = f.name + ".ID." + w.partName(r.to, r.keys[i])
	}
	if !usual {
		f.tag = append(f.tag, word("columns", strings.Join(r.columns, "|")))
	}
	m.ownIndex(f, r.columns...)
	m.fields = append(m.fields, f)
}

// partName is the name of a column in the struct of a model's key.
func (w *writer) partName(m *model, column string) string {
	names := map[string]bool{}
	for i := range m.live.Columns {
		c := &m.live.Columns[i]
		if !c.PrimaryKey {
			continue
		}
		scratch := &model{live: m.live, dialect: m.dialect, names: names, paths: map[string]string{}, own: map[string]bool{}, key: m.key, parts: m.parts}
		if f := w.column(scratch, c, names, "Key."); c.Name == column {
			return f.name
		}
	}
	return ""
}
