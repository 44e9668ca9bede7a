package migrate

import (
	"regexp"
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// A change without downtime is made in up to three migrations, because the code
// of yesterday and that of today use the database at the same time:
// what the old code does not notice, what takes long and must not be one
// transaction, and what only new code can do without.

// rollout is the place of a change in that order.
type rollout int

const (
	beforeDeploy rollout = iota
	besidesUsers
	afterDeploy
)

// gently replaces changes of tables that exist by ones that let a site go on.
func gently(changes []*change, state *State) ([]*change, error) {
	now := state.clone()
	created := map[string]bool{}
	parted := map[*change][]*change{}
	indexes := map[*change]*schema.Index{} // that are removed
	var all []*change
	for _, c := range changes {
		parts := []part{{c.operation, beforeDeploy}}
		if _, creates := c.operation.(CreateModel); creates {
			created[c.table] = true
		} else if !created[c.table] {
			parts = gentle(c.operation, c.app, now)
		}
		var before []*change
		for _, b := range c.before {
			before = append(before, needed(c, b, parted[b], indexes[b])...)
		}
		if o, removes := c.operation.(RemoveIndex); removes {
			indexes[c] = now.Table(c.app, o.Model).Index(o.Name)
		}
		if err := c.operation.ChangeState(c.app, now); err != nil {
			return nil, err
		}
		for _, p := range parts {
			n := *c
			n.operation, n.rollout, n.before = p.operation, p.rollout, before
			all = append(all, &n)
			before = []*change{&n}
			parted[c] = append(parted[c], &n)
		}
	}
	return all, nil
}

// needed returns which parts of an earlier change must be done before another: those that
// only come later need not wait for what takes long, and what is done before the deployment
// not for what is done after it.
func needed(c, b *change, parts []*change, removed *schema.Index) []*change {
	if removed != nil && b.table == c.table {
		switch o := c.operation.(type) {
		case AddIndex:
			if o.Index.Name == removed.Name {
				return parts
			}
			return nil
		case AlterField:
			if !indexMentions(removed, o.Column.Name) {
				return nil
			}
		case RemoveField:
			if !indexMentions(removed, o.Column) {
				return nil
			}
		case AddField, AddCheck, AddForeignKey, AlterComment:
			return nil
		}
		return parts
	}
	switch c.operation.(type) {
	case AddIndex, AddCheck:
		if b.table == c.table {
			// The column must be there, and no more.
			return slices.DeleteFunc(slices.Clone(parts), func(p *change) bool { return p.rollout != beforeDeploy })
		}
	}
	return parts
}

// part is an operation and when it is done.
type part struct {
	operation Operation
	rollout   rollout
}

// gentle returns what stands for an operation on a table that has rows.
func gentle(operation Operation, app string, now *State) []part {
	switch o := operation.(type) {
	case AddField:
		return gentleAdd(o)
	case AlterField:
		return gentleAlter(o, now.Table(app, o.Model).Column(o.Column.Name))
	case AddIndex:
		if !o.Index.Deferred && !o.Index.Excludes() {
			o.Concurrently = true
			return []part{{o, besidesUsers}}
		}
	case RemoveIndex:
		if i := now.Table(app, o.Model).Index(o.Name); !i.Deferred && !i.Excludes() {
			o.Concurrently = true
			return []part{{o, besidesUsers}}
		}
	case AddCheck:
		o.NotValid = true
		return []part{{o, beforeDeploy}, {ValidateCheck{Model: o.Model, Name: o.Check.Name}, besidesUsers}}
	case AddForeignKey:
		o.NotValid = true
		return []part{{o, beforeDeploy}, {ValidateForeignKey{Model: o.Model, Columns: slices.Clone(o.ForeignKey.Columns)}, besidesUsers}}
	case RemoveField:
		c := now.Table(app, o.Model).Column(o.Column)
		if c.Null || c.PrimaryKey || c.Default != nil || c.DefaultNow || c.Generated != "" {
			return []part{{o, afterDeploy}}
		}
		// New code, which does not know the column, must be able to insert rows.
		optional := c.Clone()
		optional.Null = true
		return []part{{AlterField{Model: o.Model, Column: optional}, beforeDeploy}, {o, afterDeploy}}
	case DeleteModel:
		return []part{{o, afterDeploy}}
	}
	return []part{{operation, beforeDeploy}}
}

func gentleAdd(o AddField) []part {
	c := &o.Column
	if c.PrimaryKey || c.AutoIncrement || c.Generated != "" {
		return []part{{o, beforeDeploy}}
	}
	changes := c.DefaultNow || c.Default != nil && isVolatile(*c.Default)
	fixed := c.Default != nil && !changes
	first := AddField{Model: o.Model, Column: c.Clone()}
	first.Column.Unique = false
	first.Column.Null = c.Null || !fixed
	if changes {
		// With it, each row would get its own value at once, and the table be
		// written anew.
		first.Column.Default, first.Column.DefaultNow = nil, false
	}
	parts := []part{{first, beforeDeploy}}
	if changes {
		with := first.Column.Clone()
		with.Default, with.DefaultNow = c.Default, c.DefaultNow
		parts = append(parts, part{AlterField{Model: o.Model, Column: with}, beforeDeploy})
	}
	switch {
	case !c.Null && !fixed:
		parts = append(parts, part{SetNotNull{Model: o.Model, Column: c.Name, Value: o.Backfill}, besidesUsers})
	case changes:
		parts = append(parts, part{FillField{Model: o.Model, Column: c.Name}, besidesUsers})
	}
	if c.Unique {
		parts = append(parts, part{AddUnique{Model: o.Model, Column: c.Name}, besidesUsers})
	}
	return parts
}

func gentleAlter(o AlterField, from *schema.Column) []part {
	to := &o.Column
	if from.PrimaryKey || to.PrimaryKey || to.Generated != "" {
		return []part{{o, beforeDeploy}}
	}
	first := AlterField{Model: o.Model, Column: to.Clone()}
	var later []part
	if from.Null && !to.Null {
		first.Column.Null = true
		later = append(later, part{SetNotNull{Model: o.Model, Column: to.Name, Value: o.Backfill}, besidesUsers})
	}
	if to.Unique && !from.Unique {
		first.Column.Unique = false
		later = append(later, part{AddUnique{Model: o.Model, Column: to.Name}, besidesUsers})
	}
	if to.References != nil && !sameReference(from.References, to.References) {
		first.NotValid = true
		later = append(later, part{ValidateForeignKey{Model: o.Model, Columns: []string{to.Name}}, besidesUsers})
	}
	if sameColumn(from, &first.Column) {
		return later
	}
	return append([]part{{first, beforeDeploy}}, later...)
}

// stable are the functions of which a statement asks once for all rows.
var stable = regexp.MustCompile(`(?i)\b(now|current_timestamp|current_date|current_time|localtimestamp|localtime|lower|upper|abs|round|coalesce|length|concat|cast|json|date|time|datetime)\s*\(`)

// call is the beginning of a call of a function.
var call = regexp.MustCompile(`(?i)\b[a-z_][a-z0-9_]*\s*\(`)

// isVolatile reports whether an SQL expression may have another value for each row, or not
// be a constant to the database.
func isVolatile(sql string) bool {
	return call.MatchString(stable.ReplaceAllString(withoutText(sql), "("))
}

// withoutText empties the quotes of an SQL expression.
func withoutText(sql string) string { return quotedText.ReplaceAllString(sql, "''") }

var quotedText = regexp.MustCompile(`'(?:[^']|'')*'`)

// inStages splits drafts by when their changes are to be made.
func inStages(drafts []*draft) []*draft {
	last := map[*draft]*draft{}
	var all []*draft
	for _, d := range drafts {
		at := map[*change]rollout{}
		stages := make([][]*change, afterDeploy+1)
		for _, c := range d.changes {
			m := c.rollout
			for _, b := range c.before {
				m = max(m, at[b]) // what it needs must be there
			}
			at[c] = m
			stages[m] = append(stages[m], c)
		}
		after := make([]*draft, len(d.after))
		for i, other := range d.after {
			after[i] = last[other]
		}
		for m, changes := range stages {
			if len(changes) == 0 {
				continue
			}
			n := &draft{app: d.app, changes: changes, nonAtomic: rollout(m) == besidesUsers}
			if last[d] == nil {
				n.after, n.uses, n.settles = after, d.uses, d.settles
			}
			last[d] = n
			all = append(all, n)
		}
	}
	return all
}
