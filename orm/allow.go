package orm

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Allowed is a list of lookups, and of orders, that a request may ask for. It is an
// immutable value; [Allow] makes one.
type Allowed struct {
	model   *ModelInfo
	lookups []string
	orders  []string
}

// Allow lists the lookups of a model that requests may use, each with the comparison it
// ends with:
//
//	var filters = orm.Allow(Posts, "status", "title__icontains", "published__year", "author__username").
//		OrderBy("published", "title")
//
// It is called in a package variable. [Allowed.Check] tells whether all fit the model.
func Allow[T any](q QuerySet[T], lookups ...string) Allowed {
	a := Allowed{model: q.Info(), lookups: slices.Clone(lookups)}
	// The models it refers to are perhaps not registered yet: then the first use tells.
	return a
}

// OrderBy adds names by which rows may be ordered, upwards and downwards.
func (a Allowed) OrderBy(names ...string) Allowed {
	a.orders = add(a.orders, names...)
	return a
}

// Check reports a lookup or an order on the list that does not fit the model. A program
// calls it when it starts; a test will do as well.
func (a Allowed) Check() error {
	if err := a.model.resolve(); err != nil {
		return err
	}
	for i, path := range slices.Concat(a.lookups, a.orders) {
		p, rest, err := findPlace(a.model.names.root, path)
		how := ""
		if err == nil {
			_, how, err = p.transform(rest)
		}
		if err == nil && i >= len(a.lookups) && how != "" {
			err = fmt.Errorf("%s is a comparison and no order", how)
		}
		if err != nil {
			return lookupError(a.model, path, err)
		}
	}
	return nil
}

// Where makes the conditions that the values of a URL ask for, by the names on the
// list. Other names, such as "page", are left alone; a value that is empty asks for
// nothing; several values of one name must all hold. The conditions go into one call of
// [Query.Where].
func (a Allowed) Where(values url.Values) []Cond {
	var conds []Cond
	for _, path := range a.lookups {
		for _, value := range values[path] {
			if value != "" {
				conds = append(conds, Lookup(path, value))
			}
		}
	}
	return conds
}

// Order makes the order that a text asks for, such as "-published,title". A name that is
// not on the list is a [*LookupError].
func (a Allowed) Order(text string) ([]Order, error) {
	var terms []Order
	for term := range strings.SplitSeq(text, ",") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		if name := strings.TrimPrefix(term, "-"); !slices.Contains(a.orders, name) {
			return nil, &LookupError{a.model.Name, name, "rows are not ordered by that; allowed are " + strings.Join(a.orders, ", ")}
		}
		terms = append(terms, OrderLookup(term))
	}
	return terms, nil
}

// Unknown lists the names in the values of a URL that are neither on the list nor among
// others, for those who would rather refuse than ignore them.
func (a Allowed) Unknown(values url.Values, others ...string) []string {
	var unknown []string
	for name := range values {
		if !slices.Contains(a.lookups, name) && !slices.Contains(others, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
