package router

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

type (
	title  string
	truth  bool
	weight float32
	count  uint8
)

type failing struct{}

func (failing) MarshalText() ([]byte, error) { return nil, errors.New("no text today") }

func TestTextOf(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.1")
	text := "x"
	pointer := &text
	var nilAddress *netip.Addr
	for _, c := range []struct {
		value any
		want  string // "!" and part of the error
	}{
		{"x", "x"},
		{title("x"), "x"},
		{[]byte("x"), "x"},
		{truth(true), "true"},
		{-5, "-5"},
		{int8(-5), "-5"},
		{int64(5), "5"},
		{count(5), "5"},
		{weight(0.1), "0.1"},
		{1e21, "1e+21"},
		{address, "192.0.2.1"},
		{&address, "192.0.2.1"},
		{&url.URL{Path: "/a"}, "/a"},
		{&pointer, "x"},
		{nil, "!nil"},
		{nilAddress, "!nil"},
		{&nilAddress, "!nil"},
		{failing{}, "!no text today"},
		{[]string{"x"}, "![]string cannot be written"},
		{func() {}, "!func() cannot be written"},
	} {
		got, err := textOf(c.value)
		if want, fails := strings.CutPrefix(c.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: got %q, %v, want an error with %q", c.value, got, err, want)
			}
		} else if got != c.want || err != nil {
			t.Errorf("%v: got %q, %v, want %q", c.value, got, err, c.want)
		}
	}
}

func TestNumberOf(t *testing.T) {
	t.Parallel()
	five, half := 5, float32(0.5)
	var none *int
	for _, c := range []struct {
		value any
		whole string
		float string
	}{
		{5, "5", "5.0"},
		{&five, "5", "5.0"},
		{count(5), "5", "5.0"},
		{title("5"), "5", "5.0"},
		{"05", "5", "5.0"},
		{" 5", "!not a whole number", "!not a number"},
		{half, "!not a whole number", "0.5"},
		{&half, "!not a whole number", "0.5"},
		{"0.5", "!not a whole number", "0.5"},
		{true, "!not a whole number", "!not a number"},
		{none, "!nil", "!nil"},
		{uint64(1 << 63), "!does not fit", "9223372036854776000.0"},
		{[]int{1}, "!cannot be written", "!cannot be written"},
	} {
		for _, side := range []struct {
			rule rule
			want string
		}{{intRule{max: 1 << 62}, c.whole}, {floatRule{max: 1e30}, c.float}} {
			got, err := side.rule.format(c.value)
			if want, fails := strings.CutPrefix(side.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v: got %q, %v, want an error with %q", c.value, got, err, want)
				}
			} else if got != side.want || err != nil {
				t.Errorf("%v: got %q, %v, want %q", c.value, got, err, side.want)
			}
		}
	}
}
