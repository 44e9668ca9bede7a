package validate_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/validate"
)

func TestTextChecks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	checks := []struct {
		name  string
		valid func(string) bool
		yes   []string
		no    []string
	}{
		{
			"Email", validate.Email,
			[]string{"a@b.co", "first.last+tag@sub.example.com", "x!#$%&'*+/=?^_`{|}~-@example.com", "a@bücher.example", long + "@example.com"},
			[]string{
				"", "a", "@b.co", "a@", "a@b", "a@b.co\n", "a@b.co\x00", "a b@c.de", ".a@b.co", "a.@b.co", "a..b@c.de",
				"a@b@c.de", `"a b"@c.de`, "a@-b.co", "a@b-.co", "a@b..co", "a@.co", "a@b.co.", "a@1.2.3.4", "ä@b.co",
				long + "a@example.com", "a@" + strings.Repeat("b.", 130) + "co", "a@b.c\xff", "a@b.co\r\nBcc: x@y.zz",
			},
		},
		{
			"Hostname", validate.Hostname,
			[]string{"example.com", "localhost", "xn--bcher-kva.example", "bücher.example", "a-b.c", "3com.com"},
			[]string{"", ".", "a.", ".a", "a..b", "-a.com", "a-.com", "a_b.com", "1.2.3.4", "a b", "a\n", strings.Repeat("a", 64) + ".com"},
		},
		{
			"URL", func(s string) bool { return validate.URL(s) },
			[]string{"http://example.com", "https://example.com/a?b=c#d", "HTTPS://Example.com", "http://localhost:8080/", "http://[::1]:80/", "http://1.2.3.4/", "https://bücher.example/ä"},
			[]string{
				"", "example.com", "//example.com", "/a", "ftp://example.com", "javascript:alert(1)", "http://", "http:///a",
				"http://exa mple.com", "http://example.com\n", "http://example.com\x00", "http://example.com:0", "http://example.com:65536",
				"http://example.com:", `http:\\example.com`, `http://a\@b.com`, "http://-a.com", "http://a..b", "data:text/html,x", "http://[::1", "\thttp://a.b",
			},
		},
		{
			"URL with schemes", func(s string) bool { return validate.URL(s, "ftp", "sftp") },
			[]string{"ftp://example.com", "SFTP://example.com"},
			[]string{"http://example.com", "ftps://example.com"},
		},
		{
			"Slug", validate.Slug,
			[]string{"a", "A-b_9", "-"},
			[]string{"", "a b", "ä", "a\n", "a/b", "a\x00"},
		},
		{
			"IntList", validate.IntList,
			[]string{"1", "1,2,30", " 1 , -2", "007"},
			[]string{"", ",", "1,", "1,,2", "--1", "1.5", "1\n", "1;2", "a", "1 2"},
		},
		{
			"UUID", validate.UUID,
			[]string{"018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f", "018F2F6C-7A1E-7C3B-9D51-0A1B2C3D4E5F"},
			[]string{"", "018f2f6c7a1e7c3b9d510a1b2c3d4e5f", "{018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f}", "018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5g", "018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f\n", "018f2f6c-7a1e-7c3b-9d510a1b2c3d4e5f-"},
		},
		{
			"IP", validate.IP,
			[]string{"1.2.3.4", "::1", "2001:db8::1", "::ffff:1.2.3.4"},
			[]string{"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "fe80::1%eth0", "::1\n", strings.Repeat("1:", 1000)},
		},
		{
			"SingleLine", validate.SingleLine,
			[]string{"", "one line", "ünï"},
			[]string{"a\n", "a\rb", "a\x00", "a\tb", "a\u2028b", "a\u0085b", "a\xff"},
		},
		{
			"Text", validate.Text,
			[]string{"", "several\nlines"},
			[]string{"a\x00", "\xff"},
		},
		{
			"Length", func(s string) bool { return validate.Length(s, 2, 3) },
			[]string{"äö", "äöü", "日本語"},
			[]string{"", "ä", "äöüß"},
		},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range c.yes {
				if !c.valid(s) {
					t.Errorf("%q is refused", s)
				}
			}
			for _, s := range c.no {
				if c.valid(s) {
					t.Errorf("%q is accepted", s)
				}
			}
		})
	}
}

// No accepted text may hold what ends a line, a header or a C string.
func FuzzTextChecks(f *testing.F) {
	for _, s := range []string{"a@b.co", "http://a.b/c", "a\n", "a.b\x00", "1.2.3.4", "ü.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checks := map[string]bool{
			"Email": validate.Email(s), "Hostname": validate.Hostname(s), "URL": validate.URL(s),
			"Slug": validate.Slug(s), "UUID": validate.UUID(s), "IP": validate.IP(s), "SingleLine": validate.SingleLine(s),
		}
		for name, accepted := range checks {
			if accepted && strings.ContainsAny(s, "\n\r\x00") {
				t.Errorf("%s accepts %q", name, s)
			}
		}
	})
}

// Linear time: a thousand times the text may not take a million times as long.
// The texts are built to defeat backtracking; a quadratic check would take
// minutes here.
func TestTextChecksAreLinear(t *testing.T) {
	t.Parallel()
	n := 1 << 20
	for _, s := range []string{
		strings.Repeat("a", n), strings.Repeat("a.", n), strings.Repeat("@", n), "a@" + strings.Repeat("a.", n),
		"http://" + strings.Repeat("a", n), "http://a/" + strings.Repeat("%41", n), strings.Repeat("1:", n), "http://" + strings.Repeat("[", n),
	} {
		if validate.Email(s) || validate.IP(s) || validate.Hostname(s) || validate.UUID(s) {
			t.Errorf("accepted a text of %d bytes", len(s))
		}
		validate.URL(s)
		validate.SingleLine(s)
	}
}
