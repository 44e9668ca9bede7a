package orm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// Member is a model with everything that can be wrong with a row.
type Member struct {
	orm.Model
	Email    string `orm:"email"`
	Nick     string `orm:"size=10,unique" validate:"min=3"`
	Bio      string `orm:"text,blank"`
	Level    string `orm:"size=10,choices=bronze|silver:Silver star,default=bronze"`
	Age      int
	From, To int
	Active   bool
	Team     orm.FK[Genre] `orm:"null"`
	Sponsor  orm.FK[User]
}

func (Member) Meta(m *Member) orm.Meta {
	return orm.Meta{
		Comment: "who has joined",
		Unique: orm.Uniques(
			orm.UniqueTogether(orm.Lower(&m.Email)).Named("member_email").Message("has an account already"),
			orm.UniqueTogether(&m.Team, &m.Level).Where(orm.Eq(&m.Active, true)).Named("one_active"),
		),
		Checks: orm.Checks(
			orm.Check("age_not_negative", orm.Ge(&m.Age, 0)),
			orm.Check("from_before_to", orm.LeField(&m.From, &m.To)).Message("ends before it begins"),
			orm.Check("not_root", orm.Not(orm.And(orm.Eq(&m.Nick, "root"), orm.Between(&m.Age, 0, 10)))),
		),
		Indexes: orm.Indexes(orm.Index(orm.Desc(&m.Age), &m.Level).Include(&m.Nick).Using("btree")),
	}
}

func (m *Member) Validate(ctx context.Context) error {
	if m.Nick == "broken" {
		return errRefused
	}
	if m.Bio == "spam" {
		return validate.NewError("bio", "spam", "looks like spam")
	}
	return nil
}

var Members = orm.Register[Member]()

func member(n int) *Member {
	return &Member{Email: fmt.Sprintf("M%d@example.com", n), Nick: fmt.Sprint("nick", n), Level: "silver", Sponsor: orm.FK[User]{ID: 1}}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		m := Members.Fields()
		must(t, Users.Insert(ctx, &User{Username: "u"}))
		genres := []*Genre{{Name: "a"}, {Name: "b"}}
		must(t, Genres.Insert(ctx, genres...))
		first := member(1)
		first.Active = true
		first.Team.Set(genres[0])
		must(t, Members.Validate(ctx, first))
		must(t, Members.Insert(ctx, first))
		must(t, Members.Validate(ctx, first))
		for want, spoil := range map[string]func(m *Member){
			"":                             func(m *Member) {},
			"email:required":               func(m *Member) { m.Email = "" },
			"email:email":                  func(m *Member) { m.Email = "no address" },
			"nick:min_length":              func(m *Member) { m.Nick = "é" },
			"nick:max_length":              func(m *Member) { m.Nick = "12345678901" },
			"nick:encoding":                func(m *Member) { m.Nick = "a\xffbc" },
			"nick:null_character":          func(m *Member) { m.Nick = "a\x00bc" },
			"level:one_of":                 func(m *Member) { m.Level = "gold" },
			"sponsor:required":             func(m *Member) { m.Sponsor.SetID(0) },
			"sponsor:not_found":            func(m *Member) { m.Sponsor.SetID(99) },
			"nick:taken":                   func(m *Member) { m.Nick = "nick1" },
			"email:taken":                  func(m *Member) { m.Email = "m1@EXAMPLE.com" },
			"age:check":                    func(m *Member) { m.Age = -1 },
			":check":                       func(m *Member) { m.From = 5 },
			"bio:spam":                     func(m *Member) { m.Bio = "spam" },
			":taken":                       func(m *Member) { m.Active = true; m.Team.Set(genres[0]) },
			"email:required nick:required": func(m *Member) { m.Email, m.Nick = "", "" },
		} {
			row := member(2)
			spoil(row)
			err := Members.Validate(ctx, row)
			var got []string
			if list, ok := errors.AsType[validate.Errors](err); ok {
				for _, e := range list {
					got = append(got, e.Field+":"+e.Code)
				}
			} else if err != nil {
				t.Error(err)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v", want, err)
			}
		}
		// A condition that does not hold for the row does not concern it.
		idle := member(3)
		idle.Team.Set(genres[0])
		must(t, Members.Validate(ctx, idle))
		other := member(4)
		other.Active = true
		other.Team.Set(genres[1])
		must(t, Members.Validate(ctx, other))
		// Only what is asked for is checked.
		bad := member(5)
		bad.Email, bad.Age = "", -5
		must(t, Members.Validate(ctx, bad, &m.Nick))
		if err := Members.Validate(ctx, bad, &m.Age); err == nil || strings.Contains(err.Error(), "email") {
			t.Error(err)
		}
		row := member(6)
		row.Email = "m1@example.com"
		if err := Members.Validate(ctx, row); err == nil || err.Error() != "email: has an account already" {
			t.Error(err)
		}
		row.Nick = "broken"
		if err := Members.Validate(ctx, row); !errors.Is(err, errRefused) {
			t.Error(err)
		}
		if err := Members.Validate(ctx, nil); err == nil {
			t.Error("no error")
		}
		if err := Members.Validate(ctx, row, &m.Sponsor.To().Username); err == nil {
			t.Error("no error")
		}
		err := Members.Insert(ctx, row)
		if e, ok := errors.AsType[*orm.ConstraintError](err); !ok || e.Kind != orm.UniqueConstraint {
			t.Error(err)
		}
	})
}

// Strictly is a model whose rows are always validated.
type Strictly struct {
	orm.Model
	Name string `orm:"size=5"`
	Temp Celsius
}

func (Strictly) Meta(*Strictly) orm.Meta { return orm.Meta{ValidateOnSave: true} }

var Strictlies = orm.Register[Strictly]()

func TestValidateOnSave(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		s := Strictlies.Fields()
		row := &Strictly{Name: "ok"}
		must(t, Strictlies.Insert(ctx, row))
		row.Name = ""
		for name, err := range map[string]error{
			"insert": Strictlies.Insert(ctx, &Strictly{Name: "ok"}, &Strictly{}), "update": Strictlies.UpdateRow(ctx, row, &s.Name),
			"own type": Strictlies.Insert(ctx, &Strictly{Name: "x", Temp: Celsius{-300}}),
			"upsert":   Strictlies.Upsert(ctx, &Strictly{}, orm.Conflict{}),
		} {
			if _, ok := errors.AsType[validate.Errors](err); !ok {
				t.Error(name, err)
			}
		}
		count(t, ctx, Strictlies, 1)
	})
}

func TestIndexesOfMeta(t *testing.T) {
	t.Parallel()
	tables, err := Members.Info().Tables()
	must(t, err)
	table := tables[0]
	if i := table.Index("member_email"); i == nil || len(i.Columns) != 1 || i.Columns[0].Expr != `LOWER("email")` || !i.Unique {
		t.Errorf("%+v", i)
	}
	if i := table.Index("one_active"); i == nil || i.Where == "" || !i.Unique {
		t.Errorf("%+v", i)
	}
	if i := table.Index("orm_test_member_age_level_idx"); i == nil || !i.Columns[0].Desc || i.Include[0] != "nick" || i.Method != "btree" {
		t.Errorf("%+v", i)
	}
	if table.Comment != "who has joined" {
		t.Error(table.Comment)
	}
}
