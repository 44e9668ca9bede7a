package orm_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// ofPost computes an expression for the post of that title.
func ofPost[V any](t *testing.T, ctx context.Context, title string, e orm.Expr) V {
	t.Helper()
	p := Posts.Fields()
	q := orm.Select[V](Posts.Where(orm.Eq(&p.Title, title)), orm.As("", e))
	v, err := q.Get(ctx)
	if err != nil {
		sql, args, _ := q.SQL(ctx)
		t.Errorf("%v\nby %s %v", err, sql, args)
	}
	return v
}

func TestTextFunctions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		padded := orm.V("  x ")
		for name, tt := range map[string]struct {
			e    orm.Expr
			want string
		}{
			"lower":                 {orm.Lower(orm.V("AB")), "ab"},
			"upper":                 {orm.Upper(&p.Title), "A"},
			"concat":                {orm.Concat(&p.Title, "-", &p.Views, &p.Body, "!"), "a-1!"},
			"concat with NULL":      {orm.Concat("<", orm.NullIf(&p.Title, "a"), ">"), "<>"},
			"trim":                  {orm.Concat("[", orm.Trim(padded), "]"), "[x]"},
			"trim left":             {orm.Concat("[", orm.TrimLeft(padded), "]"), "[x ]"},
			"trim right":            {orm.Concat("[", orm.TrimRight(padded), "]"), "[  x]"},
			"substr":                {orm.Substr(&p.Slug, 2, 3), "lug"},
			"left":                  {orm.Left(&p.Slug, 2), "sl"},
			"right":                 {orm.Right(&p.Slug, 2), "-0"},
			"replace":               {orm.Replace(&p.Slug, "slug", "snail"), "snail-0"},
			"replace by a field":    {orm.Replace(&p.Slug, "0", &p.Title), "slug-a"},
			"reverse":               {orm.Reverse(orm.V("åbc")), "cbå"},
			"repeat":                {orm.Repeat(&p.Title, 3), "aaa"},
			"pad left":              {orm.PadLeft(&p.Title, 4, "xy"), "xyxa"},
			"pad right":             {orm.PadRight(&p.Title, 4, "xy"), "axyx"},
			"pad cuts off":          {orm.PadLeft(&p.Slug, 2, "x"), "sl"},
			"md5":                   {orm.MD5(&p.Title), "0cc175b9c0f1b6a831c399e269772661"},
			"sha256":                {orm.SHA256(&p.Title), "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
			"case":                  {orm.Case(orm.When(orm.Gt(&p.Views, 3), "many"), orm.When(orm.Gt(&p.Views, 0), "some"), orm.Else("none")), "some"},
			"case of fields":        {orm.Case(orm.When(orm.Gt(&p.Views, 3), &p.Slug), orm.Else(&p.Title)), "a"},
			"coalesce of three":     {orm.Coalesce(orm.NullIf(&p.Title, "a"), orm.NullIf(&p.Slug, "slug-0"), "none"), "none"},
			"coalesce with a field": {orm.Coalesce(orm.NullIf(&p.Title, "a"), &p.Slug), "slug-0"},
			"greatest":              {orm.Greatest(&p.Title, &p.Slug, "b"), "slug-0"},
			"least":                 {orm.Least(&p.Title, &p.Slug, "b"), "a"},
			"cast":                  {orm.Cast[string](&p.Views), "1"},
			"a function by name":    {orm.Func("UPPER", &p.Title), "A"},
		} {
			if got := ofPost[string](t, ctx, "a", tt.e); got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
		}
		if kind.Name == "postgres" { // which needs an extension for it
			_, err := orm.Select[string](Posts, orm.As("", orm.SHA1(&p.Title))).All(ctx)
			if err != nil && !strings.Contains(err.Error(), "CREATE EXTENSION pgcrypto") {
				t.Error(err)
			}
		} else {
			if got := ofPost[string](t, ctx, "a", orm.SHA1(&p.Title)); got != "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8" {
				t.Errorf("SHA-1: %q", got)
			}
		}
		for name, tt := range map[string]struct {
			cond orm.Cond
			want string
		}{
			"regex":              {orm.Regex(&p.Slug, `^slug-[0-2]$`), "abc"},
			"regex tells case":   {orm.Regex(&p.Slug, `^SLUG`), ""},
			"iregex":             {orm.IRegex(&p.Slug, `^SLUG-[34]`), "de"},
			"position":           {orm.Position(&p.Slug, "2").Gt(0), "c"},
			"of an expression":   {orm.Concat(&p.Title, "x").Eq("ax"), "a"},
			"contains":           {orm.Concat("<", &p.Title, ">").Contains("b>"), "b"},
			"istarts with":       {orm.Concat("X", &p.Title).IStartsWith("xD"), "d"},
			"in":                 {orm.Upper(&p.Title).In("A", "D"), "ad"},
			"not in":             {orm.Upper(&p.Title).NotIn("A", "D"), "bce"},
			"between":            {orm.Length(&p.Title).Between(2, 4), "e"},
			"is null":            {orm.NullIf(&p.Title, "b").IsNull(), "b"},
			"not null":           {orm.NullIf(&p.Title, "b").NotNull(), "acde"},
			"with a field":       {orm.Lower(&p.Title).Lt(&p.Slug), "abcde"},
			"collate":            {orm.F(&p.Title).Ge("e"), "e"},
			"xor":                {orm.Xor(orm.Gt(&p.Views, 1), orm.Gt(&p.Views, 3)), "bc"},
			"xor with NULL":      {orm.Xor(orm.NotNull(&p.Published), orm.Gt(&p.Published, new(time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)))), "ab"},
			"a condition":        {orm.F(orm.Eq(&p.Tags.To().Name, "go")).Eq(true), "ac"},
			"case with relation": {orm.Case(orm.When(orm.Eq(&p.Tags.To().Name, "go"), 1), orm.Else(0)).Eq(1), "ac"},
			"by relation":        {orm.Upper(&p.Tags.To().Name).Eq("DB"), "e"},
			"search":             {orm.Search("smørrebrød été", &p.Title, &p.Body), "c"},
			"search a phrase":    {orm.Search(`"Été Smørrebrød"`, &p.Body), "c"},
			"search without":     {orm.Search(`-été a`, &p.Title, &p.Body), "a"},
			"search or":          {orm.Search(`a or d`, &p.Title, &p.Body), "ad"},
			"search whole words": {orm.Search(`smørre`, &p.Body), ""},
			"search nothing":     {orm.Search(` " " `, &p.Body), ""},
		} {
			if got := titles(t, ctx, Posts.Where(tt.cond)); got != tt.want {
				sql, args, _ := Posts.Where(tt.cond).SQL(ctx)
				t.Errorf("%s: %q, want %q by\n%s %v", name, got, tt.want, sql, args)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		for name, tt := range map[string]struct {
			e    orm.Expr
			want float64
		}{
			"add":             {orm.Add(&p.Views, 2), 6},
			"add fields":      {orm.AddField(&p.Views, &p.Views), 8},
			"nested":          {orm.F(&p.Views).Add(1).Mul(orm.F(&p.Views).Sub(2)), 10},
			"div":             {orm.Cast[float64](&p.Views).Div(8), 0.5},
			"mod":             {orm.F(&p.Views).Mod(3), 1},
			"pow":             {orm.F(&p.Views).Pow(2), 16},
			"neg":             {orm.F(&p.Views).Neg(), -4},
			"bit and":         {orm.F(&p.Views).BitAnd(6), 4},
			"bit or":          {orm.F(&p.Views).BitOr(3), 7},
			"bit xor":         {orm.F(&p.Views).BitXor(6), 2},
			"shift left":      {orm.F(&p.Views).ShiftLeft(1), 8},
			"shift right":     {orm.F(&p.Views).ShiftRight(1), 2},
			"abs":             {orm.Abs(orm.Sub(&p.Views, 9)), 5},
			"ceil":            {orm.Ceil(orm.V(1.2)), 2},
			"floor":           {orm.Floor(orm.V(1.8)), 1},
			"round":           {orm.Round(orm.V(1.26), 1), 1.3},
			"sign":            {orm.Sign(orm.V(-3.5)), -1},
			"sqrt":            {orm.Sqrt(&p.Views), 2},
			"exp":             {orm.Exp(orm.V(0.0)), 1},
			"ln":              {orm.Ln(orm.V(1.0)), 0},
			"log":             {orm.Log(2, &p.Views), 2},
			"sin":             {orm.Sin(orm.V(0.0)), 0},
			"cos":             {orm.Cos(orm.V(0.0)), 1},
			"tan":             {orm.Tan(orm.V(0.0)), 0},
			"asin":            {orm.ASin(orm.V(1.0)), math.Pi / 2},
			"acos":            {orm.ACos(orm.V(1.0)), 0},
			"atan":            {orm.ATan(orm.V(1.0)), math.Pi / 4},
			"atan2":           {orm.ATan2(orm.V(1.0), 1.0), math.Pi / 4},
			"degrees":         {orm.Degrees(orm.V(math.Pi)), 180},
			"radians":         {orm.Radians(orm.V(180.0)), math.Pi},
			"greatest":        {orm.Greatest(&p.Views, 3, 2), 4},
			"a value":         {orm.V(3), 3},
			"case":            {orm.Case(orm.When(orm.Eq(&p.Title, "d"), 7)), 7},
			"length":          {orm.Length(orm.V("åäö")), 3},
			"count":           {orm.Count(&p.Comments), 1},
			"sum":             {orm.Sum(&p.Comments.To().Votes), 5},
			"sum of nothing":  {orm.Sum(&p.Tags.To().ID).Default(0), 0},
			"count over two":  {orm.Count(&p.Author.To().Posts), 2},
			"arithmetic":      {orm.Count(&p.Comments).Add(orm.Sum(&p.Comments.To().Votes)), 6},
			"across":          {orm.Sum(orm.F(&p.Comments.To().Votes).Mul(&p.Views)), 20},
			"through several": {orm.Count(&p.Author.To().Posts.To().Tags), 1},
			"filter":          {orm.Count(&p.Author.To().Posts).Filter(orm.Eq(&p.Author.To().Posts.To().Title, "c")), 1},
		} {
			if got := ofPost[float64](t, ctx, "d", tt.e); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		}
		if r := ofPost[float64](t, ctx, "d", orm.Random()); r < 0 || r >= 1 {
			t.Errorf("random: %v", r)
		}
		if u := ofPost[string](t, ctx, "d", orm.NewUUID()); len(u) != 36 {
			t.Errorf("UUID: %v", u)
		}
		if got := ofPost[*float64](t, ctx, "c", orm.Sum(&p.Comments.To().Votes)); got != nil {
			t.Errorf("the sum of no rows: %v", *got)
		}
		if got := ofPost[*int](t, ctx, "c", orm.Greatest(&p.Views, orm.NullIf(&p.Views, 3))); got != nil {
			t.Errorf("the greatest of NULL: %v", *got)
		}
		if got := ofPost[bool](t, ctx, "c", orm.F(orm.Lt(&p.Published, new(time.Now())))); got {
			t.Error("a condition that is NULL is not false")
		}
	})
}

func TestTimes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		oslo, err := time.LoadLocation("Europe/Oslo")
		must(t, err)
		// Post d was published on Wednesday, 2025-12-31 23:59 UTC: 2026 in Oslo.
		for name, tt := range map[string]struct {
			unit      orm.Unit
			utc, oslo int
		}{
			"year": {orm.Year, 2025, 2026}, "iso year": {orm.ISOYear, 2026, 2026}, "quarter": {orm.Quarter, 4, 1}, "month": {orm.Month, 12, 1},
			"week": {orm.Week, 1, 1}, "week day": {orm.WeekDay, 4, 5}, "iso week day": {orm.ISOWeekDay, 3, 4}, "day": {orm.Day, 31, 1},
			"year day": {orm.YearDay, 365, 1}, "hour": {orm.Hour, 23, 0}, "minute": {orm.Minute, 59, 59}, "second": {orm.Second, 0, 0},
		} {
			if got := ofPost[int](t, ctx, "d", orm.Extract(tt.unit, &p.Published)); got != tt.utc {
				t.Errorf("%s: %d, want %d", name, got, tt.utc)
			}
			if got := ofPost[int](t, ctx, "d", orm.Extract(tt.unit, &p.Published).AtZone(oslo)); got != tt.oslo {
				t.Errorf("%s in Oslo: %d, want %d", name, got, tt.oslo)
			}
		}
		for name, tt := range map[string]struct {
			unit      orm.Unit
			utc, oslo string
		}{
			"year": {orm.Year, "2025-01-01", "2025-12-31 23:00"}, "iso year": {orm.ISOYear, "2025-12-29", "2025-12-28 23:00"},
			"quarter": {orm.Quarter, "2025-10-01", "2025-12-31 23:00"}, "month": {orm.Month, "2025-12-01", "2025-12-31 23:00"},
			"week": {orm.Week, "2025-12-29", "2025-12-28 23:00"}, "day": {orm.Day, "2025-12-31", "2025-12-31 23:00"},
			"hour": {orm.Hour, "2025-12-31 23:00", "2025-12-31 23:00"}, "minute": {orm.Minute, "2025-12-31 23:59", "2025-12-31 23:59"},
			"second": {orm.Second, "2025-12-31 23:59", "2025-12-31 23:59"},
		} {
			at := func(s string) time.Time { return must1[time.Time](t)(orm.ParseTime(s)) }
			if got := ofPost[time.Time](t, ctx, "d", orm.Trunc(tt.unit, &p.Published)); !got.Equal(at(tt.utc)) {
				t.Errorf("%s: %v, want %v", name, got, tt.utc)
			}
			if got := ofPost[time.Time](t, ctx, "d", orm.Trunc(tt.unit, &p.Published).AtZone(oslo)); !got.Equal(at(tt.oslo)) {
				t.Errorf("%s in Oslo: %v, want %v", name, got, tt.oslo)
			}
		}
		later := ofPost[time.Time](t, ctx, "d", orm.F(&p.Published).Add(90*time.Minute))
		if want := time.Date(2026, 1, 1, 1, 29, 0, 0, time.UTC); !later.Equal(want) {
			t.Errorf("later: %v", later)
		}
		if d := ofPost[time.Duration](t, ctx, "d", orm.F(&p.Published).Sub(orm.F(&p.Published).Sub(time.Hour))); d != time.Hour {
			t.Errorf("difference: %v", d)
		}
		if now := ofPost[time.Time](t, ctx, "d", orm.Now()); time.Since(now).Abs() > time.Minute {
			t.Errorf("now: %v", now)
		}
		if got := titles(t, ctx, Posts.Where(orm.F(&p.Published).Add(24*time.Hour).Gt(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))); got != "de" {
			t.Errorf("by time and duration: %q", got)
		}
		days, err := orm.Dates(ctx, Posts, orm.Year, &p.Published)
		must(t, err)
		if len(days) != 3 || days[0].Year() != 2024 || days[2].Year() != 2026 {
			t.Errorf("dates: %v", days)
		}
	})
}
