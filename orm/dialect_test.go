package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// numbered is a dialect that differs from SQLite's wherever the two can differ: its
// parameters are numbered and it has arrays.
type numbered struct{}

func (numbered) Name() string    { return "numbered" }
func (numbered) Returning() bool { return false }
func (numbered) Quirks() orm.Quirks {
	return orm.Quirks{NoNullsOrder: true}
}

func (numbered) OnConflict(b []byte, k orm.ConflictClause) []byte {
	return fmt.Appendf(b, " CONFLICT %s %v %v", k.Key, k.Same, k.Update)
}

func (numbered) Quote(b []byte, name string) []byte {
	return append(append(append(b, '`'), name...), '`')
}
func (numbered) Placeholder(b []byte, n int) []byte  { return fmt.Appendf(b, "$%d", n) }
func (numbered) MaxParameters() int                  { return 30 }
func (numbered) Bind(v any) any                      { return v }
func (numbered) Literal([]byte, any) ([]byte, error) { return nil, errors.New("not used") }

func (numbered) Match(b []byte, m orm.Match, column, placeholder, text string) ([]byte, string) {
	return fmt.Appendf(b, "match(%s, %s, %d, %v)", column, placeholder, m.Place, m.FoldCase), text
}

func (numbered) Lock(b []byte, l orm.Lock) []byte {
	return fmt.Appendf(b, " FOR UPDATE OF `%s`", strings.Join(l.Tables, "`, `"))
}

func (numbered) Function(f orm.Function) (string, error) {
	if f.Name == "extract" || f.Name == "trunc" {
		return fmt.Sprintf("%s(%%1, '%s', '%s')", f.Name, f.Unit, f.Zone), nil
	}
	return "", nil
}

func (numbered) JSONPath(path []any) any { return fmt.Sprint(path...) }

func (numbered) Explain(orm.ExplainOptions) (string, error) { return "EXPLAIN ", nil }

func (numbered) InArray(b []byte, column, placeholder string, values []any) ([]byte, any, bool) {
	if _, ok := values[0].(int64); !ok {
		return b, nil, false
	}
	return fmt.Appendf(b, "%s = ANY(%s)", column, placeholder), values, true
}

// recorder is a backend that keeps what it is sent and answers with keys.
type recorder struct {
	sent []orm.Statement
	last int64
}

func (r *recorder) Dialect() orm.Dialect     { return numbered{} }
func (r *recorder) Schema() schema.Dialect   { return nil }
func (r *recorder) Classify(err error) error { return err }
func (r *recorder) Close() error             { return nil }

func (r *recorder) Begin(context.Context, orm.TxOptions) (orm.Tx, error) {
	r.sent = append(r.sent, orm.Statement{SQL: "BEGIN"})
	return recorderTx{r}, nil
}

func (r *recorder) Query(_ context.Context, s orm.Statement) (orm.Rows, error) {
	r.sent = append(r.sent, s)
	return noRows{}, nil
}

func (r *recorder) Exec(_ context.Context, s orm.Statement) (orm.Result, error) {
	r.sent = append(r.sent, s)
	r.last++
	return orm.Result{Affected: 1, LastID: r.last}, nil
}

type recorderTx struct{ *recorder }

func (t recorderTx) Commit(context.Context) error {
	t.sent = append(t.sent, orm.Statement{SQL: "COMMIT"})
	return nil
}
func (t recorderTx) Rollback(context.Context) error { return nil }

type noRows struct{}

func (noRows) Columns() []string      { return nil }
func (noRows) Next() bool             { return false }
func (noRows) Scan([]orm.Cell) error  { return nil }
func (noRows) Values() ([]any, error) { return nil, nil }
func (noRows) Err() error             { return nil }
func (noRows) Close()                 {}

func TestAnotherDialect(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	ctx := orm.WithDB(t.Context(), orm.NewDB(r))
	p, u := Posts.Fields(), Users.Fields()
	ids := make([]int64, 100)
	ignore := func(_ any, err error) error { return err }
	for _, tt := range []struct {
		name string
		run  func() error
		want string
		args []any
	}{
		{
			"parameters are numbered in the order of the text", func() error {
				return ignore(Tags.Where(orm.Eq(&Tags.Fields().Name, "a"), orm.Or(orm.IContains(&Tags.Fields().Name, "b"), orm.In(&Tags.Fields().ID, 1, 2))).Limit(3).Offset(4).All(ctx))
			}, "SELECT `orm_test_tag`.`id`, `orm_test_tag`.`name` FROM `orm_test_tag` WHERE `orm_test_tag`.`name` = $1 AND (match(`orm_test_tag`.`name`, $2, 0, true) OR `orm_test_tag`.`id` IN ($3, $4)) LIMIT 3 OFFSET $5",
			[]any{"a", "b", int64(1), int64(2), int64(4)},
		},
		{
			"a subquery goes on counting", func() error {
				return ignore(Users.Where(orm.Eq(&u.Username, "x"), orm.InQuery(&u.ID, Posts.Where(orm.Eq(&p.Title, "y")), &p.Author.ID), orm.Gt(&u.ID, 5)).Exists(ctx))
			}, "SELECT 1 FROM `orm_test_user` WHERE `orm_test_user`.`username` = $1 AND `orm_test_user`.`id` IN (SELECT `orm_test_post`.`author_id` FROM `orm_test_post` WHERE `orm_test_post`.`title` = $2) AND `orm_test_user`.`id` > $3 LIMIT 1",
			[]any{"x", "y", int64(5)},
		},
		{
			"one EXISTS for one related row, none repeated", func() error {
				return ignore(Posts.Where(orm.Eq(&p.Tags.To().Name, "a"), orm.Gt(&p.Tags.To().ID, 1)).Count(ctx))
			}, "SELECT COUNT(*) FROM `orm_test_post` WHERE EXISTS (SELECT 1 FROM `orm_test_post_tags` AS `tags__join` JOIN `orm_test_tag` AS `tags` ON `tags`.`id` = `tags__join`.`tag_id` WHERE `tags__join`.`post_id` = `orm_test_post`.`id` AND (`tags`.`name` = $1 AND `tags`.`id` > $2))",
			[]any{"a", int64(1)},
		},
		{
			"values of SET come before those of WHERE", func() error {
				return ignore(Posts.Where(orm.Eq(&p.Author.To().Username, "x")).Update(ctx, orm.Set(&p.Title, "y"), orm.Set(&p.Views, orm.Add(&p.Views, 2))))
			}, "UPDATE `orm_test_post` SET `title` = $1, `views` = (`orm_test_post`.`views` + $2) WHERE `id` IN (SELECT `chosen`.`id` FROM `orm_test_post` AS `chosen` JOIN `orm_test_user` AS `author` ON `author`.`id` = `chosen`.`author_id` WHERE `author`.`username` = $3)",
			[]any{"y", int64(2), "x"},
		},
		{
			"a long list is one array", func() error { return ignore(Posts.Where(orm.NotIn(&p.ID, ids...)).Delete(ctx)) },
			"DELETE FROM `orm_test_post` WHERE NOT `orm_test_post`.`id` = ANY($1)", nil,
		},
		{
			"NULL is not lost by Not", func() error { return ignore(Posts.Where(orm.Not(orm.Gt(&p.Editor.To().Username, "x"))).Count(ctx)) },
			"SELECT COUNT(*) FROM `orm_test_post` LEFT JOIN `orm_test_user` AS `editor` ON `editor`.`id` = `orm_test_post`.`editor_id` WHERE (`editor`.`username` > $1) IS NOT TRUE",
			[]any{"x"},
		},
		{"groups", func() error {
			return ignore(orm.Select[int](Posts.GroupBy(orm.Trunc(orm.Year, &p.Published)).Having(orm.Count(&p.ID).Ge(2)), orm.As("", orm.Count(&p.ID))).All(ctx))
		}, "SELECT COUNT(`orm_test_post`.`id`) FROM `orm_test_post` GROUP BY trunc(`orm_test_post`.`published`, 'year', 'UTC') HAVING (COUNT(`orm_test_post`.`id`) >= $1)", []any{int64(2)}},
	} {
		r.sent = nil
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if len(r.sent) != 1 || r.sent[0].SQL != tt.want || tt.args != nil && !slices.Equal(r.sent[0].Args, tt.args) {
			t.Errorf("%s:\ngot  %v\nwant %s %v", tt.name, r.sent, tt.want, tt.args)
		}
	}
	r.sent = nil
	must(t, orm.Atomic(ctx, func(ctx context.Context) error { return ignore(Tags.ForUpdate().All(ctx)) }))
	if len(r.sent) != 3 || !strings.HasSuffix(r.sent[1].SQL, " FROM `orm_test_tag` FOR UPDATE OF `orm_test_tag`") {
		t.Errorf("%v", r.sent)
	}
	if _, err := Tags.ForUpdate().All(ctx); err == nil {
		t.Error("ForUpdate outside of a transaction: no error")
	}
	r.sent = nil
	rows := []*Tag{{Name: "a"}, {Name: "b"}}
	must(t, Tags.Insert(ctx, rows...))
	if len(r.sent) != 4 || rows[1].ID != rows[0].ID+1 {
		t.Errorf("a database without RETURNING inserts one by one: %v", r.sent)
	}
	names := strings.Fields(strings.Repeat("x ", 31))
	if _, err := Tags.Where(orm.In(&Tags.Fields().Name, names...)).All(ctx); err == nil || !strings.Contains(err.Error(), "31 values") {
		t.Error("more values than parameters:", err)
	}
}
