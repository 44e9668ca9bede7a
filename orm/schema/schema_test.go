package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func table() *Table {
	return &Table{
		App: "blog", Model: "Post", Name: "blog_post",
		Columns: []Column{
			{Name: "id", Type: Int64, PrimaryKey: true},
			{Name: "author_id", Type: Int64, Default: new("1"), References: &Reference{Table: "auth_user", Column: "id"}},
		},
		Indexes: []Index{{Name: "i", Columns: []IndexColumn{{Name: "id"}}}},
		Checks:  []Check{{Name: "c", SQL: `"id" > 0`}},
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	original := table()
	clone := original.Clone()
	if diff := cmp.Diff(original, clone); diff != "" {
		t.Fatal(diff)
	}
	clone.Columns[0].Name = "x"
	*clone.Columns[1].Default = "x"
	clone.Columns[1].References.Table = "x"
	clone.Indexes[0].Columns[0].Name = "x"
	clone.Checks[0].SQL = "x"
	if diff := cmp.Diff(table(), original); diff != "" {
		t.Errorf("the original changed with its clone: %s", diff)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	p := table()
	if p.Key() != "blog.Post" || p.Column("author_id") != &p.Columns[1] || p.Index("i") != &p.Indexes[0] || p.Check("c") != &p.Checks[0] {
		t.Error("what is there was not found")
	}
	if p.Column("x") != nil || p.Index("x") != nil || p.Check("x") != nil {
		t.Error("what is not there was found")
	}
	if key := p.PrimaryKey(); len(key) != 1 || key[0].Name != "id" {
		t.Errorf("the key is %v", key)
	}
	if !JSON.Known() || Type("money").Known() {
		t.Error("Known knows other types")
	}
}
