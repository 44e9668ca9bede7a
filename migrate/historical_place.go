package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/retort-web/retort/orm/schema"
)

// bookmark is how far the code of a migration that is not one transaction has
// come. Each walk through rows has a number, in the order of the calls.
type bookmark struct {
	work  *work
	step  int
	walks int  // begun in this run
	saved spot // of the run that was broken off
}

// spot is a place in a walk: after the row of a key.
type spot struct {
	Walk int      `json:"walk"`
	Key  []string `json:"key"`
}

// bookmarkKey is the key of the bookmark in a context.
type bookmarkKey struct{}

func newBookmark(w *work, step int) (*bookmark, error) {
	b := &bookmark{work: w, step: step}
	if step < len(w.journal) && w.journal[step].position != "" {
		if err := json.Unmarshal([]byte(w.journal[step].position), &b.saved); err != nil {
			return nil, fmt.Errorf("the place at which it was broken off cannot be read in %s: %w", JournalTable, err)
		}
	}
	return b, nil
}

// place is where one walk through rows notes how far it is.
type place struct {
	bookmark *bookmark // nil if all is one transaction
	walk     int
}

// placeOf begins a walk. It returns the key after which to begin, or that the
// walk had been finished.
func placeOf(ctx context.Context, t *historicalTable) (p place, last []any, finished bool, err error) {
	b, ok := ctx.Value(bookmarkKey{}).(*bookmark)
	if !ok {
		return place{}, nil, false, nil
	}
	b.walks++
	p = place{b, b.walks}
	switch {
	case b.walks < b.saved.Walk:
		return p, nil, true, nil
	case b.walks > b.saved.Walk:
		return p, nil, false, nil
	case len(b.saved.Key) != len(t.key):
		return p, nil, false, fmt.Errorf("the place at which it was broken off is not one in %s; put the code back as it was", t.Key())
	}
	for i, text := range b.saved.Key {
		value, err := keyValue(t.fields[t.key[i]].column, text)
		if err != nil {
			return p, nil, false, err
		}
		last = append(last, value)
	}
	return p, last, false, nil
}

func keyValue(c *schema.Column, text string) (any, error) {
	switch c.Type {
	case schema.Int16, schema.Int32, schema.Int64, schema.Duration:
		return strconv.ParseInt(text, 10, 64)
	}
	return text, nil
}

// batch does one batch, and notes the key that it ends with: both in one
// transaction, or none.
func (p place) batch(ctx context.Context, db Database, do func(ctx context.Context) (last []any, err error)) error {
	if p.bookmark == nil {
		_, err := do(ctx)
		return err
	}
	return db.Transaction(ctx, TransactionOptions{}, func(ctx context.Context) error {
		last, err := do(ctx)
		if err != nil || last == nil {
			return err
		}
		s := spot{Walk: p.walk}
		for _, value := range last {
			s.Key = append(s.Key, text(value))
		}
		note, err := json.Marshal(s)
		if err != nil {
			return err
		}
		return p.bookmark.work.noteEntry(ctx, db, p.bookmark.step, string(note))
	})
}
