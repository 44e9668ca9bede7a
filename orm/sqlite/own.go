package sqlite

import (
	"crypto/md5"  // #nosec G501 -- a function of the query library, not protection
	"crypto/sha1" // #nosec G505 -- as above
	"crypto/sha256"
	"crypto/sha512"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	modernc "modernc.org/sqlite"

	"github.com/retort-web/retort/orm"
)

// ownScalars are the functions of the own driver. NULL among the arguments makes the
// result NULL.
var ownScalars = map[string]struct {
	args int32
	f    func(args []driver.Value) (driver.Value, error)
}{
	"retort_regexp":    {2, matchRegexp},
	"retort_reverse":   {1, reverseText},
	"retort_repeat":    {2, repeatText},
	"retort_pad":       {4, padText},
	"retort_hash":      {2, hashText},
	"retort_extract":   {3, extractPart},
	"retort_trunc":     {3, truncTime},
	"retort_time_add":  {2, addTime},
	"retort_time_diff": {2, diffTimes},
	"retort_search":    {2, searchText},
	"retort_contains":  {2, containsJSON},
	"retort_fits":      {2, fitInt},
}

// outOfRange is by what classify knows the error of fitInt.
const outOfRange = "retort: a number is out of range for its column"

// fitInt is a number as a column for whole numbers of so many bits has it, rounded as the
// other databases do.
func fitInt(args []driver.Value) (driver.Value, error) {
	n, isInt := args[0].(int64)
	if f, isFloat := args[0].(float64); isFloat {
		f = math.Round(f)
		if f < -(1<<63) || f >= 1<<63 || math.IsNaN(f) {
			return nil, errors.New(outOfRange)
		}
		n, isInt = int64(f), true
	}
	bits, _ := args[1].(int64)
	if !isInt {
		return args[0], nil
	}
	if n>>(bits-1) != 0 && n>>(bits-1) != -1 {
		return nil, errors.New(outOfRange)
	}
	return n, nil
}

// maxRepeated bounds the text that REPEAT and the padding functions may make.
const maxRepeated = 1_000_000

// registerOwn gives a driver the functions.
func registerOwn(d *modernc.Driver) error {
	errs := []error{
		d.RegisterDeterministicScalarFunction(foldName, 1, func(_ *modernc.FunctionContext, args []driver.Value) (driver.Value, error) {
			if text, ok := args[0].(string); ok {
				return fold(text), nil
			}
			return args[0], nil
		}),
		d.RegisterScalarFunction("retort_uuid", 0, func(*modernc.FunctionContext, []driver.Value) (driver.Value, error) {
			return uuid.NewString(), nil
		}),
	}
	for name, own := range ownScalars {
		errs = append(errs, d.RegisterDeterministicScalarFunction(name, own.args, func(_ *modernc.FunctionContext, args []driver.Value) (driver.Value, error) {
			if slices.Contains(args, nil) {
				return nil, nil
			}
			return own.f(args)
		}))
	}
	for name, of := range ownAggregates {
		errs = append(errs, d.RegisterFunction(name, &modernc.FunctionImpl{NArgs: of.args, Deterministic: true, MakeAggregate: func(modernc.FunctionContext) (modernc.AggregateFunction, error) {
			return of.make(), nil
		}}))
	}
	return errors.Join(errs...)
}

// text is a value as text.
func text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

func number(v driver.Value) (int64, error) {
	if n, ok := v.(int64); ok {
		return n, nil
	}
	return 0, fmt.Errorf("%v is not a whole number", v)
}

// patterns keeps the regular expressions in use.
var patterns = struct {
	sync.Mutex
	compiled map[string]*regexp.Regexp
}{compiled: map[string]*regexp.Regexp{}}

func compiled(pattern string) (*regexp.Regexp, error) {
	patterns.Lock()
	defer patterns.Unlock()
	if re := patterns.compiled[pattern]; re != nil {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	if len(patterns.compiled) >= 100 {
		clear(patterns.compiled)
	}
	patterns.compiled[pattern] = re
	return re, nil
}

func matchRegexp(args []driver.Value) (driver.Value, error) {
	re, err := compiled(text(args[0]))
	if err != nil {
		return nil, err
	}
	return boolean(re.MatchString(text(args[1]))), nil
}

func boolean(b bool) driver.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}

func reverseText(args []driver.Value) (driver.Value, error) {
	runes := []rune(text(args[0]))
	slices.Reverse(runes)
	return string(runes), nil
}

func repeatText(args []driver.Value) (driver.Value, error) {
	s := text(args[0])
	n, err := number(args[1])
	if n = max(n, 0); err == nil && int64(len(s))*n > maxRepeated {
		err = fmt.Errorf("a text repeated %d times is too long", n)
	}
	if err != nil {
		return nil, err
	}
	return strings.Repeat(s, int(n)), nil
}

// padText fills a text from the left or, with a fourth argument that is not 0, the right.
func padText(args []driver.Value) (driver.Value, error) {
	s, fill := []rune(text(args[0])), []rune(text(args[2]))
	n, err := number(args[1])
	if err == nil && n > maxRepeated {
		err = fmt.Errorf("a text of %d characters is too long", n)
	}
	if err != nil {
		return nil, err
	}
	n = max(n, 0)
	if int64(len(s)) >= n {
		return string(s[:n]), nil
	}
	if len(fill) == 0 {
		return string(s), nil
	}
	var pad []rune
	for int64(len(s)+len(pad)) < n {
		pad = append(pad, fill[len(pad)%len(fill)])
	}
	if right, err := number(args[3]); err != nil || right != 0 {
		return string(s) + string(pad), err
	}
	return string(pad) + string(s), nil
}

var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

func hashText(args []driver.Value) (driver.Value, error) {
	h := hashes[text(args[0])]()
	h.Write([]byte(text(args[1])))
	return hex.EncodeToString(h.Sum(nil)), nil
}

// zones keeps the time zones in use, which are costly to load.
var zones sync.Map

func zone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	z, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, z)
	}
	return z, err
}

// clock reads a stored time, in a zone. A day has no zone.
func clock(zoneName, stored driver.Value) (t time.Time, isDay bool, err error) {
	s := text(stored)
	if t, err = orm.ParseTime(s); err != nil || len(s) == len(time.DateOnly) {
		return t, true, err
	}
	z, err := zone(text(zoneName))
	if err != nil {
		return t, false, err
	}
	return t.In(z), false, nil
}

func extractPart(args []driver.Value) (driver.Value, error) {
	t, _, err := clock(args[1], args[2])
	if err != nil {
		return nil, err
	}
	isoYear, isoWeek := t.ISOWeek()
	n := 0
	switch unit := orm.Unit(text(args[0])); unit {
	case orm.Year:
		n = t.Year()
	case orm.ISOYear:
		n = isoYear
	case orm.Quarter:
		n = (int(t.Month()) + 2) / 3
	case orm.Month:
		n = int(t.Month())
	case orm.Week:
		n = isoWeek
	case orm.WeekDay:
		n = int(t.Weekday()) + 1
	case orm.ISOWeekDay:
		n = (int(t.Weekday())+6)%7 + 1
	case orm.Day:
		n = t.Day()
	case orm.YearDay:
		n = t.YearDay()
	case orm.Hour:
		n = t.Hour()
	case orm.Minute:
		n = t.Minute()
	case orm.Second:
		n = t.Second()
	default:
		return nil, fmt.Errorf("%q is no part of a time", unit)
	}
	return int64(n), nil
}

func truncTime(args []driver.Value) (driver.Value, error) {
	t, isDay, err := clock(args[1], args[2])
	if err != nil {
		return nil, err
	}
	year, month, day := t.Date()
	hour, minute, second := 0, 0, 0
	switch unit := orm.Unit(text(args[0])); unit {
	case orm.Year:
		month, day = 1, 1
	case orm.Quarter:
		month, day = month-(month-1)%3, 1
	case orm.Month:
		day = 1
	case orm.ISOYear:
		year, _ = t.ISOWeek()
		first := time.Date(year, 1, 4, 0, 0, 0, 0, t.Location())
		month, day = 1, 4-(int(first.Weekday())+6)%7
	case orm.Week:
		day -= (int(t.Weekday()) + 6) % 7
	case orm.Day:
	case orm.Second:
		return stored(t.Truncate(time.Second)), nil
	case orm.Minute, orm.Hour:
		// The zone may be off by a part of the unit: cut off what its clock shows,
		// and stay on the same side of a change of the clock.
		_, minute, second = t.Clock()
		cut := time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
		if unit == orm.Hour {
			cut += time.Duration(minute) * time.Minute
		}
		return stored(t.Add(-cut)), nil
	default:
		return nil, fmt.Errorf("times are not truncated to %q", unit)
	}
	begin := time.Date(year, month, day, hour, minute, second, 0, t.Location())
	if isDay {
		return begin.Format(time.DateOnly), nil
	}
	return stored(begin), nil
}

// stored is a time as a column has it.
func stored(t time.Time) string { return orm.FormatTime(t) }

// addTime adds nanoseconds to a time.
func addTime(args []driver.Value) (driver.Value, error) {
	t, err := orm.ParseTime(text(args[0]))
	if err != nil {
		return nil, err
	}
	n, err := number(args[1])
	return stored(t.Add(time.Duration(n))), err
}

// diffTimes is the nanoseconds from one time to another.
func diffTimes(args []driver.Value) (driver.Value, error) {
	to, err := orm.ParseTime(text(args[0]))
	if err != nil {
		return nil, err
	}
	from, err := orm.ParseTime(text(args[1]))
	return int64(to.Sub(from)), err
}

// searchText counts the words of a search, in the form of orm.SearchTerms, that a text
// has; 0 if one that it must have is missing, or one that it must not have is there.
func searchText(args []driver.Value) (driver.Value, error) {
	return int64(orm.ParseSearch(text(args[0])).Hits(text(args[1]))), nil
}

// containsJSON reports whether one JSON text has all that another has.
func containsJSON(args []driver.Value) (driver.Value, error) {
	var whole, part any
	if err := json.Unmarshal([]byte(text(args[0])), &whole); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text(args[1])), &part); err != nil {
		return nil, err
	}
	return boolean(contains(whole, part, true)), nil
}

// contains is what PostgreSQL's operator @> means by it. Only at the top does an array
// contain a value that is no array.
func contains(whole, part any, top bool) bool {
	switch part := part.(type) {
	case map[string]any:
		object, ok := whole.(map[string]any)
		for key, value := range part {
			have, found := object[key]
			ok = ok && found && contains(have, value, false)
		}
		return ok
	case []any:
		array, ok := whole.([]any)
		for _, value := range part {
			ok = ok && slices.ContainsFunc(array, func(have any) bool { return contains(have, value, false) })
		}
		return ok
	}
	if array, ok := whole.([]any); ok && top {
		return slices.ContainsFunc(array, func(have any) bool { return contains(have, part, false) })
	}
	if _, ok := whole.(map[string]any); ok {
		return false
	}
	if _, ok := whole.([]any); ok {
		return false
	}
	return whole == part
}
