package propertytest_test

import (
	"time"

	"github.com/retort-web/retort/orm"
)

func itemScope(i *Item) *scope {
	s := ownScope("", i, func(e env) *Item { return e.item })
	// The group may be missing: then all of it is NULL.
	s.ints = append(s.ints, leaf("group.rank", &i.Group.To().Rank, func(e env) any {
		if g := e.world.group(e.item); g != nil {
			return deref(g.Rank)
		}
		return nil
	}))
	s.texts = append(s.texts, leaf("group.name", &i.Group.To().Name, func(e env) any {
		if g := e.world.group(e.item); g != nil {
			return g.Name
		}
		return nil
	}))
	s.computed = aggregates(i)
	s.conds = relations(i)
	return s
}

// ownScope is the fields of an item that of chooses.
func ownScope(prefix string, i *Item, of func(env) *Item) *scope {
	return &scope{
		ints: []expr{
			leaf(prefix+"a", &i.A, func(e env) any { return deref(of(e).A) }),
			leaf(prefix+"b", &i.B, func(e env) any { return int64(of(e).B) }),
		},
		floats: []expr{leaf(prefix+"f", &i.F, func(e env) any { return deref(of(e).F) })},
		texts: []expr{
			leaf(prefix+"name", &i.Name, func(e env) any { return deref(of(e).Name) }),
			leaf(prefix+"code", &i.Code, func(e env) any { return of(e).Code }),
		},
		ascii: []expr{leaf(prefix+"code", &i.Code, func(e env) any { return of(e).Code })},
		times: []expr{leaf(prefix+"at", &i.At, func(e env) any { return deref[time.Time](of(e).At) })},
	}
}

func partScope(p *Part) *scope {
	return &scope{
		ints:  []expr{leaf("part.size", &p.Size, func(e env) any { return deref(e.part.Size) })},
		texts: []expr{leaf("part.word", &p.Word, func(e env) any { return e.part.Word })},
	}
}

// partAndItem is a part as the row asked for, with the item that it belongs to.
func partAndItem(p *Part) *scope {
	s := partScope(p)
	s.ints = append(s.ints, leaf("part.item.b", &p.Item.To().B, func(e env) any { return int64(e.world.items[e.part.Item.ID-1].B) }))
	s.texts = append(s.texts, leaf("part.item.code", &p.Item.To().Code, func(e env) any { return e.world.items[e.part.Item.ID-1].Code }))
	return s
}

func labelScope(l *Label) *scope {
	return &scope{
		ints:  []expr{leaf("label.weight", &l.Weight, func(e env) any { return int64(e.label.Weight) })},
		texts: []expr{leaf("label.word", &l.Word, func(e env) any { return e.label.Word })},
	}
}

// aggregates are the values made of all parts, labels or kids of an item.
func aggregates(i *Item) []func(g *generator) expr {
	parts := partScope(i.Parts.To())
	over := func(name string, make func(any) orm.Expr, compute func(values []any) any) func(g *generator) expr {
		return func(g *generator) expr {
			size := &i.Parts.To().Size
			e := expr{make(size), func(e env) any {
				return compute(sizes(e, func(*Part) bool { return true }))
			}, name + "(parts.size)"}
			if g.IntN(2) == 0 {
				filter := g.related(parts).cond(1)
				e = expr{make(size).Filter(filter.sql), func(e env) any {
					return compute(sizes(e, func(p *Part) bool {
						e.part = p
						return filter.eval(e) == isTrue
					}))
				}, name + "(parts.size filter " + filter.text + ")"}
			}
			return e
		}
	}
	return []func(g *generator) expr{
		over("count", orm.Count, count), over("sum", orm.Sum, sum), over("min", orm.Min, least), over("max", orm.Max, greatest),
		over("countdistinct", orm.CountDistinct, countDistinct),
		func(*generator) expr {
			return expr{orm.Count(&i.Labels), func(e env) any { return int64(len(e.world.labelsOf[e.item.ID])) }, "count(labels)"}
		},
		func(*generator) expr {
			return expr{orm.Sum(&i.Kids.To().B), func(e env) any {
				var list []any
				for _, kid := range e.world.kidsOf[e.item.ID] {
					list = append(list, int64(kid.B))
				}
				return sum(list)
			}, "sum(kids.b)"}
		},
		func(g *generator) expr {
			p := Parts.Fields()
			c := g.in(partAndItem(p)).cond(1)
			rows := Parts.Where(orm.EqField(&p.Item.ID, orm.Outer(&i.ID)), c.sql).OrderBy(orm.Desc(&p.ID))
			return expr{orm.Subquery(rows, &p.Size), func(e env) any {
				var v any
				for _, p := range e.world.partsOf[e.item.ID] {
					if e.part = p; c.eval(e) == isTrue {
						v = deref(p.Size)
					}
				}
				return v
			}, "last(part.size where " + c.text + ")"}
		},
	}
}

func sizes(e env, take func(p *Part) bool) []any {
	var list []any
	for _, p := range e.world.partsOf[e.item.ID] {
		if p.Size != nil && take(p) {
			list = append(list, int64(*p.Size))
		}
	}
	return list
}

// The aggregates of values that are not NULL.

func count(values []any) any { return int64(len(values)) }

func countDistinct(values []any) any {
	seen := map[any]bool{}
	for _, v := range values {
		seen[key(v)] = true
	}
	return int64(len(seen))
}

func sum(values []any) any {
	var total any
	for _, v := range values {
		n, _ := total.(int64)
		total = n + v.(int64)
	}
	return total
}

func least(values []any) any { return best(values, -1) }

func greatest(values []any) any { return best(values, 1) }

func best(values []any, sign int) any {
	var found any
	for _, v := range values {
		if found == nil || compareValues(v, found)*sign > 0 {
			found = v
		}
	}
	return found
}

// relations are the conditions on related rows of an item.
func relations(i *Item) []func(g *generator) cond {
	parts, labels := partScope(i.Parts.To()), labelScope(i.Labels.To())
	kids := ownScope("kid.", i.Kids.To(), func(e env) *Item { return e.item })
	siblings := ownScope("sibling.", i.Group.To().Items.To(), func(e env) *Item { return e.item })
	return []func(g *generator) cond{
		some("parts", parts, func(e env) []env { return partsOf(e) }),
		some("labels", labels, func(e env) (list []env) {
			for _, l := range e.world.labelsOf[e.item.ID] {
				list = append(list, env{world: e.world, label: l})
			}
			return list
		}),
		some("kids", kids, func(e env) []env { return itemsAs(e, e.world.kidsOf[e.item.ID]) }),
		some("siblings", siblings, func(e env) []env { return itemsAs(e, e.world.itemsOf[e.item.Group.ID]) }),
		func(g *generator) cond {
			if g.used["parts"] {
				return g.plain(0)
			}
			g.used["parts"] = true
			return cond{orm.Has(&i.Parts), func(e env) truth { return truthOf(len(e.world.partsOf[e.item.ID]) > 0) }, "has(parts)"}
		},
		func(g *generator) cond {
			p := Parts.Fields()
			c := g.in(partAndItem(p)).cond(2)
			return cond{
				orm.Exists(Parts.Where(orm.EqField(&p.Item.ID, orm.Outer(&i.ID)), c.sql)),
				func(e env) truth { return truthOf(exists(partsOf(e), c)) }, "exists(parts where " + c.text + ")",
			}
		},
		func(g *generator) cond {
			p := Parts.Fields()
			c := g.in(partAndItem(p)).cond(1)
			return cond{
				orm.InQuery(&i.ID, Parts.Where(c.sql), &p.Item.ID),
				func(e env) truth { return truthOf(exists(partsOf(e), c)) }, "inquery(parts where " + c.text + ")",
			}
		},
		func(g *generator) cond {
			// Among the sizes of parts is NULL.
			p := Parts.Fields()
			return cond{orm.F(&i.A).InQuery(Parts.Any(), &p.Size), func(e env) truth {
				if len(e.world.parts) == 0 {
					return isFalse
				}
				if e.item.A == nil {
					return isUnknown
				}
				result := isFalse
				for _, p := range e.world.parts {
					switch {
					case p.Size == nil:
						result = max(result, isUnknown)
					case *p.Size == *e.item.A:
						return isTrue
					}
				}
				return result
			}, "a in sizes"}
		},
	}
}

// some is true if one row of a relation to many meets a condition.
func some(name string, s *scope, rows func(env) []env) func(g *generator) cond {
	return func(g *generator) cond {
		if g.used[name] {
			return g.plain(0)
		}
		g.used[name] = true
		c := g.related(s).cond(2)
		return cond{c.sql, func(e env) truth { return truthOf(exists(rows(e), c)) }, "some " + name + "(" + c.text + ")"}
	}
}

func exists(rows []env, c cond) bool {
	for _, e := range rows {
		if c.eval(e) == isTrue {
			return true
		}
	}
	return false
}

func partsOf(e env) (list []env) {
	for _, p := range e.world.partsOf[e.item.ID] {
		list = append(list, env{world: e.world, item: e.item, part: p})
	}
	return list
}

func itemsAs(e env, items []*Item) (list []env) {
	for _, i := range items {
		list = append(list, env{world: e.world, item: i})
	}
	return list
}
