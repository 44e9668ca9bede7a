package orm

import (
	"slices"
	"testing"
	"time"
	"unsafe"
)

// TestUpdateShapesAreExact compares what a shape makes of each UPDATE with what the
// compiler makes of it.
func TestUpdateShapesAreExact(t *testing.T) {
	t.Parallel()
	db := NewDB(silentBackend{})
	p := shapePosts.Fields()
	for round := range 3 {
		note := []*string{new("a"), nil, new("c")}[round]
		for name, set := range map[string][]Assignment{
			"one":      {Set(&p.Views, round)},
			"two":      {Set(&p.Views, round), Set(&p.Title, "x")},
			"swapped":  {Set(&p.Title, "x"), Set(&p.Views, round)},
			"null":     {Set(&p.Note, note)},
			"key":      {Set(&p.Author, int64(round+1))},
			"null key": {Set(&p.Editor, nil)},
			"time":     {Set(&p.Added, time.Unix(int64(round), 0))},
			"computed": {Set(&p.Views, Add(&p.Views, round))},
			"both":     {Set(&p.Views, Add(&p.Views, round)), Set(&p.Title, "x")},
			"column":   {Set(&p.Views, Add(&p.ID, 0))},
		} {
			for where, q := range shapeQueries(round) {
				want, wantErr := q.updateAnew(db, set)
				got, err := q.updateStatement(db, set)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("%s, %s: %v, but anew it is %v", name, where, err, wantErr)
				}
				if err == nil && (got.SQL != string(want.buf) || !slices.Equal(got.Args, want.args)) {
					t.Errorf("%s, %s: %s %v, but anew it is %s %v", name, where, got.SQL, got.Args, want.buf, want.args)
				}
			}
		}
	}
	if len(db.shapes.byName) == 0 {
		t.Error("no shape is kept")
	}
	for _, wrong := range []Assignment{Set(&p.Views, "x"), Set(&p.Views, nil), Set(&p.Tags, nil)} {
		for range 2 {
			if _, err := shapePosts.Where(Eq(&p.ID, int64(1))).use().updateStatement(db, []Assignment{wrong}); err == nil {
				t.Errorf("%v: no error", wrong.value)
			}
		}
	}
}

// TestRowShapesAreExact does so for the INSERT and the UPDATE of a row.
func TestRowShapesAreExact(t *testing.T) {
	t.Parallel()
	db := NewDB(silentBackend{})
	m := shapePosts.Info()
	for i := range 3 {
		row := &shapePost{Title: "t", Views: i, Added: time.Unix(int64(i), 0), Shown: time.Unix(1, 0)}
		row.Author.ID = 1
		for _, id := range []int64{0, 7, 0} {
			row.ID = id
			g := m.group(unsafe.Pointer(row))
			for _, n := range []int{1, 2, insertBatch} {
				g.rows = slices.Repeat([]unsafe.Pointer{unsafe.Pointer(row)}, n)
				for _, returning := range []bool{true, false} {
					c := newCompiler(portable{}, m)
					c.insertInto(g.columns, g.rows)
					if returning {
						c.returningKey()
					}
					s, err := m.insertStatement(db, &g, returning)
					if err != nil || s.SQL != string(c.buf) || !slices.Equal(s.Args, c.args) {
						t.Fatalf("%s %v %v, but anew it is %s %v", s.SQL, s.Args, err, c.buf, c.args)
					}
				}
			}
		}
		row.ID = 7
		for _, names := range [][]string{{"Views"}, {"Title"}, {"Views", "Title"}, {"Title", "Views", "Note"}} {
			var fields []*FieldInfo
			for _, name := range names {
				fields = append(fields, m.Fields[slices.IndexFunc(m.Fields, func(f *FieldInfo) bool { return f.Name == name })])
			}
			c := newCompiler(portable{}, m)
			c.updateRow(unsafe.Pointer(row), fields)
			s, err := m.updateRowStatement(db, unsafe.Pointer(row), fields)
			if err != nil || s.SQL != string(c.buf) || !slices.Equal(s.Args, c.args) {
				t.Fatalf("%s %v %v, but anew it is %s %v", s.SQL, s.Args, err, c.buf, c.args)
			}
		}
	}
	if _, err := m.updateRowStatement(db, unsafe.Pointer(&shapePost{}), m.columns[1:2]); err == nil {
		t.Error("a row without a key is updated")
	}
}
