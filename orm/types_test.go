package orm_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

type Level int8

type Address struct{ Street, City string }

type Everything struct {
	ID      uuid.UUID `orm:"pk"`
	Bool    bool
	Int     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	Text    string
	Bytes   []byte
	Time    time.Time
	Span    time.Duration
	Level   Level
	Status  Status

	MaybeBool   *bool
	MaybeInt    *int
	MaybeText   *string
	MaybeTime   *time.Time
	MaybeStatus *Status
	MaybeUUID   *uuid.UUID
	MaybeBytes  []byte `orm:"null"`
	NullText    sql.NullString
	NullInt     sql.Null[int64]
	NullTime    sql.NullTime

	Date      time.Time  `orm:"type=date"`
	MaybeDate *time.Time `orm:"type=date"`

	JSON    Address         `orm:"json"`
	Map     map[string]int  `orm:"json"`
	List    []string        `orm:"json,null"`
	RawJSON json.RawMessage `orm:"null"`
	Ignored chan int        `orm:"-"`
}

func (Everything) Meta(*Everything) orm.Meta {
	return orm.Meta{Table: "everything", VerboseName: "thing"}
}

var Everythings = orm.Register[Everything]()

func TestTypesSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		when := time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.FixedZone("CET", 3600))
		full := &Everything{
			Bool: true, Int: -1, Int8: math.MinInt8, Int16: math.MaxInt16, Int32: math.MinInt32, Int64: math.MaxInt64,
			Uint: 1, Uint8: 255, Uint16: 65535, Uint32: math.MaxUint32, Uint64: math.MaxInt64,
			Float32: 1.5, Float64: math.Pi, Text: "é漢字 ' \" \x01 %", Bytes: []byte{0, 1, 255}, Time: when.UTC(), Span: time.Hour,
			Level: -3, Status: Live,
			MaybeBool: new(false), MaybeInt: new(0), MaybeText: new(""), MaybeTime: new(when.UTC()), MaybeStatus: new(Live), MaybeUUID: new(uuid.New()), MaybeBytes: []byte("x"),
			NullText: sql.NullString{String: "", Valid: true}, NullInt: sql.Null[int64]{V: 5, Valid: true}, NullTime: sql.NullTime{Time: when.UTC(), Valid: true},
			Date: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), MaybeDate: new(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)),
			JSON: Address{"<b>&", "x"}, Map: map[string]int{"a": 1}, List: []string{}, RawJSON: json.RawMessage(`{"a": [1]}`),
		}
		empty := &Everything{Bytes: []byte{}, RawJSON: nil}
		must(t, Everythings.Insert(ctx, full, empty))
		if full.ID == uuid.Nil || full.ID.Version() != 7 {
			t.Errorf("key %v", full.ID)
		}
		e := Everythings.Fields()
		for _, want := range []*Everything{full, empty} {
			got, err := Everythings.Where(orm.Eq(&e.ID, want.ID)).Get(ctx)
			must(t, err)
			if d := cmp.Diff(want, got, cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })); d != "" {
				t.Error(d)
			}
		}
		for name, cond := range map[string]orm.Cond{
			"date": orm.Eq(&e.Date, when), "date pointer": orm.Lookup("maybe_date", "2024-03-01"), "date range": orm.Lookup("date__range", "2024-02-28,2024-03-01"),
			"bool": orm.Eq(&e.Bool, true), "time": orm.Eq(&e.Time, when), "pointer": orm.Eq(&e.MaybeBool, new(false)),
			"uuid": orm.In(&e.ID, full.ID), "uuid pointer": orm.Eq(&e.MaybeUUID, full.MaybeUUID), "duration": orm.Gt(&e.Span, time.Minute),
			"bytes": orm.Eq(&e.Bytes, []byte{0, 1, 255}), "null type": orm.Eq(&e.NullText, sql.NullString{Valid: true}),
			"json": orm.Eq(&e.JSON, Address{"<b>&", "x"}), "level": orm.Lt(&e.Level, 0), "float": orm.Gt(&e.Float32, 1),
		} {
			if n, err := Everythings.Where(cond).Count(ctx); n != 1 || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		if n, err := Everythings.Where(orm.IsNull(&e.List), orm.IsNull(&e.MaybeBytes), orm.IsNull(&e.NullInt), orm.IsNull(&e.MaybeStatus)).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		e := Everythings.Fields()
		if err := Everythings.Insert(ctx, &Everything{Uint64: math.MaxUint64}); err == nil || !strings.Contains(err.Error(), "Everything.Uint64") {
			t.Error(err)
		}
		row := &Everything{}
		must(t, Everythings.Insert(ctx, row))
		db, _ := orm.DBFrom(ctx)
		for column, value := range map[string]any{"int8": 1000, "uint8": -1, "time": "yesterday", "bool": "maybe", "int": "12x", "id": "nonsense"} {
			if kind.Name != "sqlite" {
				break // the others hold values to their columns themselves
			}
			_, err := db.Exec(ctx, `UPDATE everything SET "`+column+`" = ?`, value)
			must(t, err)
			if _, err := Everythings.All(ctx); err == nil || !strings.Contains(err.Error(), "reading Everything.") {
				t.Errorf("%s: %v", column, err)
			}
			_, err = db.Exec(ctx, `DELETE FROM everything`)
			must(t, err)
			row.ID = uuid.Nil
			must(t, Everythings.Insert(ctx, row))
		}
		for name, set := range map[string]orm.Assignment{
			"int8": orm.Set(&e.Int8, 1000), "uint8": orm.Set(&e.Uint8, -1), "uint": orm.Set(&e.Uint, uint64(math.MaxUint64)),
			"json": orm.Set(&e.JSON, "x"), "time": orm.Set(&e.Time, "2024-01-01"), "level": orm.Set(&e.Level, 128), "int": orm.Set(&e.Int, 1.5),
		} {
			if _, err := Everythings.UpdateAll(ctx, set); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestTimesSortAsText(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		e := Everythings.Fields()
		base := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
		for _, d := range []time.Duration{0, time.Microsecond, time.Millisecond, time.Second, -time.Second, 100 * time.Hour} {
			must(t, Everythings.Insert(ctx, &Everything{Time: base.Add(d).In(time.FixedZone("", 5*3600))}))
		}
		rows, err := Everythings.OrderBy(orm.Asc(&e.Time)).All(ctx)
		must(t, err)
		for i := 1; i < len(rows); i++ {
			if !rows[i-1].Time.Before(rows[i].Time) {
				t.Errorf("%v is before %v", rows[i-1].Time, rows[i].Time)
			}
		}
	})
}

func TestDateIsThatOfTheTimesOwnZone(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		e := Everythings.Fields()
		early := time.Date(2024, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600))
		must(t, Everythings.Insert(ctx, &Everything{Date: early}))
		if _, err := Everythings.UpdateAll(ctx, orm.Set(&e.MaybeDate, early)); err != nil {
			t.Fatal(err)
		}
		row, err := Everythings.Get(ctx)
		must(t, err)
		if want := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC); !row.Date.Equal(want) || !row.MaybeDate.Equal(want) {
			t.Error(row.Date, row.MaybeDate)
		}
	})
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"2024-02-29 23:59:59.123456":  time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC),
		"2024-02-29 23:59:59":         time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"2024-02-29T23:59:59Z":        time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"2024-02-29T23:59:59.5+01:00": time.Date(2024, 2, 29, 22, 59, 59, 5e8, time.UTC),
		"2024-02-29 23:59":            time.Date(2024, 2, 29, 23, 59, 0, 0, time.UTC),
		"2024-02-29":                  time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := orm.ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "2023-02-29 00:00:00.000000", "2024-13-01 00:00:00.000000", "2024-00-01 00:00:00.000000", "2024-01-01 24:00:00.000000", "2024-01-01 00:60:00.000000", "2024-01-0a 00:00:00.000000", "2024-01-01 00:00:00,000000"} {
		if got, err := orm.ParseTime(text); err == nil && text != "2024-01-01 00:00:00,000000" {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2024-02-29 23:59:59.123456")
	f.Add("2024-02-29T23:59:59+01:00")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := orm.ParseTime(text)
		if err != nil {
			return
		}
		again, err := orm.ParseTime(got.Format(orm.TimeLayout))
		if year := got.Year(); year >= 0 && year <= 9999 && (err != nil || !again.Equal(got.Truncate(time.Microsecond))) {
			t.Errorf("%q is %v, and back %v, %v", text, got, again, err)
		}
	})
}

func statusLabel(s Status) string {
	for _, choice := range s.Choices() {
		if choice.Value == s {
			return choice.Label
		}
	}
	return ""
}

func TestFieldInfoGetAndSet(t *testing.T) {
	t.Parallel()
	info, err := orm.InfoOf[Post]()
	must(t, err)
	post := &Post{}
	post.Author.Set(&User{Model: orm.Model{ID: 3}})
	for _, tt := range []struct {
		field string
		value any
		good  func() bool
	}{
		{"Title", "x", func() bool { return post.Title == "x" }},
		{"status", "live", func() bool { return post.Status == Live }},
		{"status", Draft, func() bool { return post.Status == Draft }},
		{"Views", "12", func() bool { return post.Views == 12 }},
		{"Views", int64(13), func() bool { return post.Views == 13 }},
		{"Rating", "1.5", func() bool { return post.Rating == 1.5 }},
		{"Published", "2024-01-01T10:00", func() bool { return post.Published.Hour() == 10 }},
		{"Published", nil, func() bool { return post.Published == nil }},
		{"Author", "7", func() bool { return post.Author.ID == 7 && !post.Author.Loaded() }},
		{"Author", &User{Model: orm.Model{ID: 8}}, func() bool { return post.Author.ID == 8 }},
		{"Author", orm.FK[User]{ID: 9}, func() bool { return post.Author.ID == 9 }},
		{"Editor", nil, func() bool { return post.Editor.IsNull() }},
	} {
		f := info.FieldNamed(tt.field)
		if err := f.Set(post, tt.value); err != nil || !tt.good() {
			t.Errorf("%s = %v: %v", tt.field, tt.value, err)
		}
	}
	if v, err := info.FieldNamed("Title").Get(post); v != "x" || err != nil {
		t.Error(v, err)
	}
	post.Status, post.Title = Live, "x"
	for name, want := range map[string]string{"Title": "x", "Views": "13", "Rating": "1.5", "Published": "", "Author": "9", "Editor": "", "Status": statusLabel(Live)} {
		if got, err := info.FieldNamed(name).Display(post); got != want || err != nil {
			t.Errorf("%s is shown as %q, want %q: %v", name, got, want, err)
		}
	}
	if _, err := info.FieldNamed("Tags").Display(post); err == nil {
		t.Error("a relation to many is shown")
	}
	for name, err := range map[string]error{
		"a number of letters": info.FieldNamed("Views").Set(post, "many"),
		"not null":            info.FieldNamed("Title").Set(post, nil),
		"to many":             info.FieldNamed("Tags").Set(post, 1),
		"another model":       info.FieldNamed("Title").Set(&User{}, "x"),
		"not a pointer":       info.FieldNamed("Title").Set(*post, "x"),
		"not a row":           info.FieldNamed("Title").Set(nil, "x"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := info.FieldNamed("Title").Get(nil); err == nil {
		t.Error("no error")
	}
	p := Posts.Fields()
	f, err := info.Field(&p.Author)
	if err != nil || f.Name != "Author" || f.Column != "author_id" || f.Relation.Target().Name != "User" || f.Model() != info {
		t.Error(f, err)
	}
	if _, err := info.Field(&p.Author.To().Username); err == nil {
		t.Error("a field of a related model")
	}
	if path, err := info.Path(&p.Author.To().Country.To().Code); err != nil || len(path) != 3 || path[2].Name != "Code" {
		t.Error(path, err)
	}
	if got := info.Pointer(f); got != any(&p.Author) {
		t.Error("Pointer is not the prototype's")
	}
	if row := info.New().(*Post); row.Status != Draft {
		t.Errorf("%+v", row)
	}
	if _, err := orm.InfoOf[struct{ orm.Model }](); err == nil {
		t.Error("InfoOf a type that is no model: no error")
	}
	if orm.InfoNamed("orm_test.Post") != info || orm.InfoNamed("x.Y") != nil {
		t.Error("InfoNamed")
	}
}

func TestScannerErrorsAreKept(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		if err := Strict.Insert(ctx, &Stricts{Word: "bad"}); !errors.Is(err, errOwn) {
			t.Error(err)
		}
		must(t, Strict.Insert(ctx, &Stricts{Word: "good"}))
		if row, err := Strict.Get(ctx); err != nil || row.Word != "GOOD" {
			t.Error(row, err)
		}
	})
}

// Word is stored in lower case and refuses "bad".
type Word string

type Stricts struct {
	orm.Model
	Word Word
}

var Strict = orm.Register[Stricts]()
