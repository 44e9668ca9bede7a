package config

import (
	"strings"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "4096": 4096, "1B": 1, "1kB": 1000, "1KB": 1000, "1kib": 1024, "1.5MB": 1_500_000, " 2 GiB ": 2 << 30,
		"1TB": TB, "1TiB": TiB, "10_000": 10_000, "0.5": 0, "9223372036854775807": 1<<63 - 1,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.2.3MB", "1XB", "1 MB s", "1e3", "0x10", "9223372036854775808", "9000000TiB", "99999999.5TB", "1__0", "ten"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q is accepted as %d", text, got)
		}
	}
	for size, want := range map[Size]string{
		0: "0B", 1: "1B", 1000: "1kB", 1024: "1KiB", 1_500_000: "1500kB", 10 * MB: "10MB", 64 * KiB: "64KiB", GiB: "1GiB", -MB: "-1MB", 1001: "1001B",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d prints as %s, want %s", int64(size), got, want)
		}
	}
	var s Size
	if err := s.UnmarshalText([]byte("many")); err == nil || s != 0 {
		t.Errorf("many is accepted as %v", s)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "31d": 31 * day, "2w": 2 * week, "1w1d1h": 8*day + time.Hour,
		"1.5d": 36 * time.Hour, "-1d": -day, " 5m ": 5 * time.Minute, "250ms": 250 * time.Millisecond,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-", "5", "d", "1d2w", "1d-1h", "1d+1h", "--1d", "+1d", "1e9d", "infd", "nand", "0x1d", "999999999w", "1d5", "1_0d", "five minutes"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 31 * day: "31d", 36 * time.Hour: "36h", 90 * time.Minute: "1h30m", time.Minute: "1m", 90 * time.Second: "1m30s", 10 * time.Second: "10s",
		time.Hour + time.Second: "1h0m1s", -day: "-1d",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%d prints as %s, want %s", d, got, want)
		}
	}
}

func TestSnake(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Addr": "addr", "AllowedHosts": "allowed_hosts", "HTTPAddr": "http_addr", "DB": "db", "UserID": "user_id", "TLS": "tls", "ID2Name": "id2_name", "Größe": "größe", "A_B": "a_b",
	} {
		if got := snake(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	keys := []string{"addr", "workers", "session.lifetime", "session.same_site"}
	for name, want := range map[string]string{
		"adr": "addr", "wrokers": "workers", "session.life_time": "session.lifetime", "Session-Lifetime": "session.lifetime", "session.samesite": "session.same_site",
		"colour": "", "": "", "x": "", strings.Repeat("workers", 1000): "",
	} {
		got := strings.TrimSuffix(strings.TrimPrefix(didYouMean(name, "", keys), "; did you mean "), "?")
		if got != want {
			t.Errorf("%.20q suggests %q, want %q", name, got, want)
		}
	}
}

func FuzzParseUnits(f *testing.F) {
	for _, seed := range []string{"10MB", "1.5 GiB", "1_000", "31d", "1w2d3h", "-5m", "9223372036854775807", "1e9", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if size, ok := parseSize(text); ok {
			if again, ok := parseSize(size.String()); size < 0 || !ok || again != size {
				t.Errorf("%q is %d, printed %s, read %d", text, int64(size), size, int64(again))
			}
		}
		if d, ok := parseDuration(text); ok {
			if again, ok := parseDuration(formatDuration(d)); !ok || again != d {
				t.Errorf("%q is %d, printed %s, read %d", text, d, formatDuration(d), again)
			}
		}
	})
}
