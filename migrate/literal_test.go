package migrate

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/orm/schema"
)

func TestLiteral(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind        schema.Type
		value, want string
	}{
		{schema.Bool, "true", "TRUE"},
		{schema.Bool, "0", "FALSE"},
		{schema.Bool, "maybe", ""},
		{schema.Bool, "", ""},
		{schema.Int16, "-32768", "-32768"},
		{schema.Int16, "32768", ""},
		{schema.Int32, "2147483648", ""},
		{schema.Int64, "9223372036854775807", "9223372036854775807"},
		{schema.Int64, "9223372036854775808", ""},
		{schema.Int64, "1; DROP TABLE x", ""},
		{schema.Int64, "+5", "5"},
		{schema.Int64, "1.0", ""},
		{schema.Float64, "1e3", "1000"},
		{schema.Float64, "NaN", ""},
		{schema.Float64, "Inf", ""},
		{schema.Float64, "0x1p-2", "0.25"},
		{schema.Decimal, "-12.50", "-12.50"},
		{schema.Decimal, "12.", ""},
		{schema.Decimal, ".5", ""},
		{schema.Decimal, "1e3", ""},
		{schema.Decimal, "-", ""},
		{schema.String, "it's", "'it''s'"},
		{schema.String, "", "''"},
		{schema.String, "12345678901", ""},
		{schema.String, "äöüäöüäöüß", "'äöüäöüäöüß'"},
		{schema.Text, "a\nb", "'a\nb'"},
		{schema.Text, "a\x00b", ""},
		{schema.Text, "\xff", ""},
		{schema.Bytes, "00ff", "X'00ff'"},
		{schema.Bytes, "0", ""},
		{schema.Bytes, "zz", ""},
		{schema.Date, "2026-02-28", "'2026-02-28'"},
		{schema.Date, "2026-02-30", ""},
		{schema.Date, "2026-02-28 10:00:00", ""},
		{schema.Time, "10:30", "'10:30:00.000000'"},
		{schema.Time, "25:00", ""},
		{schema.DateTime, "2026-02-28", "'2026-02-28 00:00:00.000000'"},
		{schema.DateTime, "2026-02-28T10:00:00.5+02:00", "'2026-02-28 08:00:00.500000'"},
		{schema.DateTime, "soon", ""},
		{schema.Duration, "1m", "60000000000"},
		{schema.Duration, "5", "5"},
		{schema.Duration, "long", ""},
		{schema.UUID, "F47AC10B-58CC-4372-A567-0E02B2C3D479", "'f47ac10b-58cc-4372-a567-0e02b2c3d479'"},
		{schema.UUID, "f47ac10b58cc4372a5670e02b2c3d479", ""},
		{schema.UUID, "f47ac10b-58cc-4372-a567-0e02b2c3d47'", ""},
		{schema.JSON, `{"a": "it's"}`, `'{"a": "it''s"}'`},
		{schema.JSON, "{", ""},
		{"money", "1", ""},
	} {
		c := schema.Column{Name: "c", Type: test.kind, Size: 10}
		got, err := Literal(&c, test.value)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s %q: got %q (%v), want %q", test.kind, test.value, got, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), "column c") {
			t.Errorf("%s %q: the error does not name the column: %v", test.kind, test.value, err)
		}
	}
	for kind, length := range map[schema.Type]int{schema.Date: 12, schema.Time: 17, schema.DateTime: 28} {
		got, err := Literal(&schema.Column{Type: kind}, "now")
		if err != nil || len(got) != length {
			t.Errorf("%s now: %s, %v", kind, got, err)
		}
	}
}

// FuzzLiteral checks that no value can be more than one SQL literal.
func FuzzLiteral(f *testing.F) {
	kinds := []schema.Type{
		schema.Bool, schema.Int64, schema.Float64, schema.Decimal, schema.String, schema.Text, schema.Bytes,
		schema.Date, schema.Time, schema.DateTime, schema.Duration, schema.UUID, schema.JSON,
	}
	for i, value := range []string{"true", "1", "1.5", "1.50", "it's", "''", "00", "2026-01-02", "10:00", "now", "1h", "'); DROP TABLE x --", `"\u0027"`} {
		f.Add(uint8(i), value)
	}
	db := openTest(f)
	f.Fuzz(func(t *testing.T, kind uint8, value string) {
		c := schema.Column{Name: "c", Type: kinds[int(kind)%len(kinds)]}
		literal, err := Literal(&c, value)
		if err != nil {
			return
		}
		rows, err := db.Query(t.Context(), "SELECT "+literal+", 'end'")
		if err != nil || len(rows) != 1 || len(rows[0]) != 2 || rows[0][1] != "end" {
			t.Fatalf("%s %q became %s: %v, %v", c.Type, value, literal, rows, err)
		}
		if isText := c.Type == schema.Text || c.Type == schema.String || c.Type == schema.JSON; isText && rows[0][0] != value {
			t.Fatalf("%q came back as %q", value, rows[0][0])
		}
	})
}

func TestRenameIdentifier(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sql, want string }{
		{`"title" <> ''`, `"head" <> ''`},
		{`title <> 'title'`, `head <> 'title'`},
		{`"title" = 'it''s "title"' OR subtitle = "sub""title"`, `"head" = 'it''s "title"' OR subtitle = "sub""title"`},
		{`title("x") AND title ("y")`, `title("x") AND title ("y")`},
		{`length("title") > 1 AND title1 > 1title`, `length("head") > 1 AND title1 > 1title`},
		{`("title"IS NOT NULL)`, `("head"IS NOT NULL)`},
		{`'unclosed "title"`, `'unclosed "title"`},
		{`"title`, `"head"`},
		{``, ``},
	} {
		if got := renameIdentifier(test.sql, "title", "head"); got != test.want {
			t.Errorf("%s: got %s, want %s", test.sql, got, test.want)
		}
		if want := test.sql != test.want; mentions(test.sql, "title") != want {
			t.Errorf("%s: mentions %t", test.sql, !want)
		}
	}
}

func FuzzRenameIdentifier(f *testing.F) {
	for _, sql := range []string{`"a" <> ''`, `a = 'a'`, `a("a"`, `x'00'`, "ä\xff\"", `1a "a""a"`} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if same := eachIdentifier(sql, func(_, text string) string { return text }); same != sql {
			t.Fatalf("%q became %q", sql, same)
		}
		if renamed := renameIdentifier(sql, "a", "b"); mentions(renamed, "a") {
			t.Fatalf("%q became %q, which still names a", sql, renamed)
		}
	})
}
