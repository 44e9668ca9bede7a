package ratelimit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parse reads limits as they stand in a configuration: a number, "per" or "/", and a
// second, minute, hour, day, month (of 30 days) or year, or so many of them; several
// are separated by ";" or ",".
//
//	100/day; 10 per minute
//	5 per 15 minutes
func Parse(text string) ([]Limit, error) {
	var limits []Limit
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' }) {
		limit, err := parseOne(part)
		if err != nil {
			return nil, err
		}
		limits = append(limits, limit)
	}
	if len(limits) == 0 {
		return nil, fmt.Errorf(`ratelimit: %.100q has no limit; write one such as "100/day; 10 per minute"`, text)
	}
	return limits, nil
}

// MustParse is [Parse] for limits that are written in the program. It panics if they
// cannot be read.
func MustParse(text string) []Limit {
	limits, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return limits
}

// units are the words for a window.
var units = map[string]time.Duration{
	"second": time.Second, "minute": time.Minute, "hour": time.Hour,
	"day": 24 * time.Hour, "month": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour,
}

func parseOne(text string) (Limit, error) {
	words := strings.Fields(strings.ReplaceAll(strings.ToLower(text), "/", " per "))
	wrong := fmt.Errorf(`ratelimit: %.100q is no limit; write a number and a window such as "10/minute" or "5 per 15 minutes"`, strings.TrimSpace(text))
	if len(words) < 3 || len(words) > 4 || words[1] != "per" {
		return Limit{}, wrong
	}
	requests, err := strconv.Atoi(words[0])
	if err != nil {
		return Limit{}, wrong
	}
	times := 1
	if len(words) == 4 {
		if times, err = strconv.Atoi(words[2]); err != nil || times < 1 {
			return Limit{}, wrong
		}
	}
	unit, ok := units[strings.TrimSuffix(words[len(words)-1], "s")]
	if !ok || time.Duration(times) > maxWindow/unit {
		return Limit{}, wrong
	}
	limit := Limit{Requests: requests, Window: time.Duration(times) * unit}
	return limit, limit.Check()
}

// shortDuration writes a window as people say it: 24h0m0s is a day.
func shortDuration(d time.Duration) string {
	for _, unit := range []struct {
		name string
		time.Duration
	}{{"day", units["day"]}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / unit.Duration; n > 0 && d%unit.Duration == 0 {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}
