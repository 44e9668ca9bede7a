package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// InBulk returns the rows whose field has one of the values, by those values. The field
// is one that is unique, as the primary key is; of several rows with the same value one
// is returned.
//
//	posts, err := orm.InBulk(ctx, Posts, &p.Slug, "hello", "routing")
func InBulk[K comparable, T any](ctx context.Context, q QuerySet[T], field *K, values ...K) (map[K]*T, error) {
	byValue := make(map[K]*T, len(values))
	if err := q.use().ready(); err != nil {
		return nil, err
	}
	f, err := q.Info().Field(field)
	if err != nil {
		return nil, err
	}
	several, composite := q.use().composite(refTo(field))
	rows, err := q.Where(In(field, values...)).All(ctx)
	for _, row := range rows {
		p := unsafe.Add(unsafe.Pointer(row), f.offset)
		if !composite {
			byValue[*(*K)(p)] = row
			continue
		}
		// A foreign key in the key knows its field, and perhaps its row, which a key
		// that is looked up by does not.
		var bare K
		key, err := several.codec.load(p)
		if err == nil {
			err = several.codec.store(unsafe.Pointer(&bare), key)
		}
		if err != nil {
			return nil, f.fault(err)
		}
		byValue[bare] = row
	}
	return byValue, err
}

// Reverse turns the order that applies around.
func (s *Query[P]) Reverse() *Query[P] { return typed[P](s.use().reverse()) }

func (q *query) reverse() *query { return q.orderBy(reversed(q.keyOrder())) }

func reversed(terms []Order) []Order {
	turned := slices.Clone(terms)
	for i := range turned {
		turned[i].desc = !turned[i].desc
		switch turned[i].nulls {
		case nullsFirst:
			turned[i].nulls = nullsLast
		case nullsLast:
			turned[i].nulls = nullsFirst
		}
	}
	return turned
}

// Last returns the last row: by the query's order, or by primary key if it has none.
// Without a row the error is ErrNotFound.
func (s *Query[P]) Last(ctx context.Context) (P, error) {
	row, err := s.use().last(ctx)
	return rowOf[P](row), err
}

func (q *query) last(ctx context.Context) (unsafe.Pointer, error) {
	if q.limited || q.offset > 0 {
		q = q.derived().orderBy(q.keyOrder())
	}
	return q.reverse().first(ctx)
}

// Latest returns the row with the greatest values in the fields, of which the first
// counts most. NULL counts least. Without fields it goes by LatestBy of the model's Meta.
func (s *Query[P]) Latest(ctx context.Context, fields ...any) (P, error) {
	row, err := s.use().extreme(ctx, "Latest", fields, Desc)
	return rowOf[P](row), err
}

// Earliest returns the row with the least values in the fields, of which the first
// counts most. NULL counts last. Without fields it goes by LatestBy of the model's Meta.
func (s *Query[P]) Earliest(ctx context.Context, fields ...any) (P, error) {
	row, err := s.use().extreme(ctx, "Earliest", fields, Asc)
	return rowOf[P](row), err
}

func (q *query) extreme(ctx context.Context, name string, fields []any, term func(field any) Order) (unsafe.Pointer, error) {
	if m := q.model; len(fields) == 0 && m != nil {
		if fields = m.meta.LatestBy; len(fields) == 0 {
			return nil, fmt.Errorf("orm: %s of %s needs the field to go by; name one, or set LatestBy in Meta", name, m.Name)
		}
	}
	terms := make([]Order, len(fields))
	for i, field := range fields {
		terms[i] = term(field).NullsLast()
	}
	return q.orderBy(terms).first(ctx)
}

// Contains reports whether a row that is saved is among those of the query.
func (s *Query[P]) Contains(ctx context.Context, row P) (bool, error) {
	return s.use().contains(ctx, base(row))
}

func (q *query) contains(ctx context.Context, row unsafe.Pointer) (bool, error) {
	if err := q.ready(); err != nil {
		return false, err
	}
	if row == nil {
		return false, fmt.Errorf("orm: Contains of %s: the row is nil", q.model.Name)
	}
	key, err := q.model.savedKey(row)
	if err != nil {
		return false, err
	}
	if q.limited || q.offset > 0 {
		q = q.derived()
	}
	return q.filter([]Cond{{&compare{"=", q.model.keyRef(), &variable{key}}}}).exists(ctx)
}

// Explain returns what the database says of how it runs the query, for people. What it
// tells depends on the database, and so do the options.
func (s *Query[P]) Explain(ctx context.Context, options ...ExplainOptions) (string, error) {
	return s.use().explain(ctx, options)
}

func (q *query) explain(ctx context.Context, options []ExplainOptions) (string, error) {
	sql, args, err := q.sql(ctx)
	if err != nil {
		return "", err
	}
	var o ExplainOptions
	if len(options) > 1 {
		return "", errors.New("orm: Explain takes one ExplainOptions")
	}
	if len(options) == 1 {
		o = options[0]
	}
	db, err := q.model.database(ctx, Read)
	if err != nil {
		return "", err
	}
	prefix, err := db.backend.Dialect().Explain(o)
	if err != nil {
		if o.Format != "" {
			// It may come from a request, as units of dates do.
			err = &LookupError{q.model.Name, o.Format, err.Error()}
		}
		return "", err
	}
	rows, err := db.query(ctx, Statement{SQL: prefix + sql, Args: args, Once: true})
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return "", err
		}
		lines = append(lines, explainLine(values))
	}
	return strings.Join(lines, "\n"), closeRows(rows)
}

func explainLine(values []any) string {
	words := make([]string, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case []byte:
			words = append(words, string(v))
		default:
			words = append(words, fmt.Sprint(v))
		}
	}
	return strings.Join(words, " ")
}
