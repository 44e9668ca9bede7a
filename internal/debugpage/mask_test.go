package debugpage

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestIsSecretName(t *testing.T) {
	t.Parallel()
	secret := []string{
		"API_KEY", "apiKey", "X-API-Key", "Authorization", "Proxy-Authorization", "auth", "OAuth", "basic_auth", "Auth-Code",
		"token", "accessToken", "X-CSRFToken", "csrfmiddlewaretoken", "_csrf", "XSRF-TOKEN", "SECRET_KEY", "client-secret",
		"password", "Password2", "passwd", "dbPass", "userpass", "PASSPHRASE", "pwd", "pass", "Stripe-Signature", "sig",
		"Cookie", "Set-Cookie", "sessionid", "SESSION", "PHPSESSID_session", "credential", "private_pem", "DSN", "otp", "pin",
		"signingkey", "keys", "keyring", strings.Repeat("x", 300),
	}
	open := []string{
		"", "author", "authors", "Author-Name", "keyword", "keyboard", "monkey", "capital", "page", "title", "compass",
		"passenger", "passed", "q", "spinner", "design", "Accept", "User-Agent", "Host", "id", "slug", "turkey",
	}
	for _, name := range secret {
		if !IsSecretName(name) {
			t.Errorf("IsSecretName(%q) = false", name)
		}
	}
	for _, name := range open {
		if IsSecretName(name) {
			t.Errorf("IsSecretName(%q) = true", name)
		}
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	p := &Page{Secrets: []string{"the-signing-key", "abc"}}
	for in, want := range map[string]string{
		"plain":                           "plain",
		"key the-signing-key!":            "key [hidden]!",
		"abc is too short to be replaced": "abc is too short to be replaced",
		"dial postgres://bob:hunter2@db:5432/x: refused":  "dial postgres://bob:[hidden]@db:5432/x: refused",
		"redis://:p%40ss@cache and mysql://u:p@h/d":       "redis://:[hidden]@cache and mysql://u:[hidden]@h/d",
		"https://example.com/a?b=c":                       "https://example.com/a?b=c",
		"https://user@example.com/":                       "https://user@example.com/",
		"a://b:c@d@e/":                                    "a://b:[hidden]@e/",
		"connect `host=db user=bob password=hunter2 x=1`": "connect `host=db user=bob password=[hidden] x=1`",
		`password='with space' dbname=d`:                  `password=[hidden] dbname=d`,
		"?token=abcdef&page=2":                            "?token=[hidden]&page=2",
		"://":                                             "://",
		"password=":                                       "password=",
		"password='unterminated":                          "password=[hidden]",
	} {
		if got := p.scrub(in); got != want {
			t.Errorf("scrub(%q) = %q, want %q", in, got, want)
		}
	}
}

// No rendering may contain a secret, whichever way it came in.
func TestPageHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3tvalue"
	r := httptest.NewRequest("POST", "/reset?token="+secret+"&page=2&%74oken="+secret, nil)
	r.Header = http.Header{
		"Authorization":    {"Bearer " + secret},
		"Cookie":           {"session=" + secret + "; theme=" + secret},
		"X-Api-Key":        {secret},
		"Stripe-Signature": {secret},
		"Referer":          {"https://bob:" + secret + "@example.com/x?api_key=" + secret + "#" + secret},
		"User-Agent":       {"test"},
	}
	p := New(500, errorText("dial postgres://bob:"+secret+"@db/x with password="+secret), r)
	p.Suggestion = "mysql://u:" + secret + "@h/d"
	p.BuildOutput = "token=" + secret
	p.Causes = []Cause{{"T", "secret_key=" + secret, 1}}
	p.Sections = []Section{{"Form", [][2]string{{"password", secret}, {"page", "2"}, {"note", "token=" + secret}}}}
	for name, text := range map[string]string{"HTML": string(p.HTML()), "Text": p.Text(), "Markdown": p.Markdown()} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s shows the secret: …%s…", name, text[max(0, i-80):i+20])
		}
		for _, kept := range []string{"User-Agent", "page=2", "session="} {
			if !strings.Contains(text, kept) {
				t.Errorf("%s lacks %q", name, kept)
			}
		}
	}
}

// What a section masks is masked where it turns up again.
func TestPageHidesMaskedValuesEverywhere(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/reset/f00dcafe", nil)
	p := New(500, errorText("no user for f00dcafe"), r)
	p.Sections = []Section{
		{"Route", [][2]string{{"{token}", "f00dcafe"}, {"{pin}", "1234"}}},
		{"SQL", [][2]string{{"0.1 ms", "SELECT 1 WHERE code = 'f00dcafe' LIMIT 1234"}}},
	}
	for name, text := range map[string]string{"HTML": string(p.HTML()), "Text": p.Text(), "Markdown": p.Markdown()} {
		if strings.Contains(text, "f00dcafe") {
			t.Errorf("%s shows the token", name)
		}
		if !strings.Contains(text, "LIMIT 1234") {
			t.Errorf("%s hides a value for being short", name)
		}
	}
	if len(p.Secrets) != 0 {
		t.Error("rendering changed the page")
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("postgres://bob:hunter2@db password='x", "hunter2")
	f.Add("://@://:@ = == password==\"", "")
	f.Fuzz(func(t *testing.T, text, secret string) {
		p := &Page{Secrets: []string{secret}}
		p.scrub(text)
		maskQuery(text)
		p.maskURL(text)
		IsSecretName(text)
	})
}

type errorText string

func (e errorText) Error() string { return string(e) }
