package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes. Its text has a decimal unit (kB, MB, GB, TB) or a
// binary one (KiB, MiB, GiB, TiB), of any letter case, or none for bytes.
type Size int64

// Units of sizes: 10*config.MB.
const (
	KB  Size = 1000
	MB  Size = 1000 * KB
	GB  Size = 1000 * MB
	TB  Size = 1000 * GB
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// sizeUnits are the units, for output the largest first.
var sizeUnits = []struct {
	name string
	size Size
}{
	{"TiB", TiB}, {"TB", TB}, {"GiB", GiB}, {"GB", GB}, {"MiB", MiB}, {"MB", MB}, {"KiB", KiB}, {"kB", KB}, {"B", 1},
}

// String writes the size exactly, in the unit that makes the shortest number.
func (s Size) String() string {
	best, unit := int64(s), "B"
	for _, u := range sizeUnits {
		if s != 0 && s%u.size == 0 && abs(int64(s/u.size)) < abs(best) {
			best, unit = int64(s/u.size), u.name
		}
	}
	return strconv.FormatInt(best, 10) + unit
}

// MarshalText writes the size as [Size.String] does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a size such as "10MB", "1.5 GiB" or "4096".
func (s *Size) UnmarshalText(text []byte) error {
	v, ok := parseSize(string(text))
	if !ok {
		return errors.New("config: a size is a number with a unit, such as 512kB, 10MB or 1GiB")
	}
	*s = v
	return nil
}

func parseSize(text string) (Size, bool) {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '_' })
	if end < 0 {
		end = len(text)
	}
	unit, ok := sizeUnit(strings.TrimSpace(text[end:]))
	if !ok {
		return 0, false
	}
	digits := plainNumber(text[:end])
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		if n > math.MaxInt64/int64(unit) {
			return 0, false
		}
		return Size(n) * unit, true
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || f*float64(unit) >= math.MaxInt64 {
		return 0, false
	}
	return Size(f * float64(unit)), true
}

func sizeUnit(name string) (Size, bool) {
	if name == "" {
		return 1, true
	}
	for _, u := range sizeUnits {
		if strings.EqualFold(name, u.name) {
			return u.size, true
		}
	}
	return 0, false
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// parseDuration reads what [time.ParseDuration] does, with the units d (24
// hours) and w before the others: "31d", "1w2d", "1d12h".
func parseDuration(text string) (time.Duration, bool) {
	rest := strings.TrimSpace(text)
	if d, err := time.ParseDuration(rest); err == nil {
		return d, true
	}
	negative := strings.HasPrefix(rest, "-")
	rest = strings.TrimPrefix(rest, "-")
	if rest == "" {
		return 0, false
	}
	var total float64
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"w", week}, {"d", day}} {
		number, after, ok := strings.Cut(rest, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 || strings.ContainsAny(number, "+eExXpPiInN_") {
			return 0, false
		}
		total += n * float64(u.size)
		rest = after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || rest[0] == '+' || rest[0] == '-' {
			return 0, false
		}
		total += float64(d)
	}
	if total >= math.MaxInt64 {
		return 0, false
	}
	if negative {
		total = -total
	}
	return time.Duration(total), true
}

// formatDuration writes whole days as such and drops zero minutes and seconds.
func formatDuration(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
