package config

import (
	"strings"
	"testing"
)

func TestMaskByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"SECRET_KEY", "secret_key", "apiKey", "API_URL", "apikey", "Authorization", "X-Auth-Token", "password", "passwd", "db_pass", "PGPASSWORD", "MySQLPwd",
		"signature", "Cookie", "Set-Cookie", "csrf_token", "credentials", "dsn", "DATABASE_DSN", "privateKey", "__Host-session", "sessionid", "sid", "tokens", "AUTHOR_TOKEN",
	} {
		if got := Mask(name, "hunter2"); got != hidden {
			t.Errorf("%s shows %q", name, got)
		}
	}
	for _, name := range []string{
		"", "addr", "author", "Authors", "keyboard_layout", "keywords", "monkey", "capital", "rapid", "therapist", "passenger", "session_name", "session.lifetime",
		"TLS_KEY_FILE", "secrets_dir", "side", "residence",
	} {
		if got := Mask(name, "hunter2"); got != "hunter2" {
			t.Errorf("%s is masked", name)
		}
	}
	if got := Mask("SECRET_KEY", ""); got != "" {
		t.Errorf("a missing secret looks like one: %q", got)
	}
}

func TestMaskInText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                                       "plain",
		"postgres://ada:hunter2@db:5432/blog":         "postgres://ada:********@db:5432/blog",
		"postgres://ada@db/blog":                      "postgres://ada@db/blog",
		"redis://:hunter2@localhost":                  "redis://:********@localhost",
		"postgres://ada:hun@ter/2@db/blog":            "postgres://ada:********@db/blog",
		"https://example.org:8000/path":               "https://example.org:8000/path",
		"ada:hunter2@tcp(db:3306)/blog?timeout=1s":    "ada:********@tcp(db:3306)/blog?timeout=1s",
		"sqlite:blog.db?_key=hunter2&mode=ro":         "sqlite:blog.db?_key=********&mode=ro",
		"host=db password=hunter2 dbname=blog":        "host=db password=******** dbname=blog",
		"host=db password='hunt\\' er2' dbname=blog":  "host=db password=******** dbname=blog",
		"Server=db;User=ada;Password=hunter2;Pool=5":  "Server=db;User=ada;Password=********;Pool=5",
		"https://x.org/?token=hunter2#top":            "https://x.org/?token=********",
		"password=":                                   "password=",
		"ada@example.org":                             "ada@example.org",
		"a: b@c":                                      "a: b@c",
		"postgres://u:hunter2@a, redis://v:hunter2@b": "postgres://u:********@a, redis://v:********@b",
		"u:hunter2@tcp(a), v:hunter2@tcp(b)":          "u:********@tcp(a), v:********@tcp(b)",
		"http://u:hun?ter#2 x@h":                      "http://u:********@h",
	} {
		if got := Mask("value", text); got != want {
			t.Errorf("%q shows as %q, want %q", text, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("postgres://ada:", "@db/blog")
	f.Add("host=db password=", " dbname=blog")
	f.Add("Password=", ";Pool=5")
	f.Add("password='", "' x=1")
	f.Fuzz(func(t *testing.T, before, after string) {
		shown := Mask("value", before+"hunter2"+after)
		if Mask("secret", before) != "" && Mask("secret", before) != hidden {
			t.Error("a secret is shown")
		}
		if strings.HasSuffix(before, "password=") && !strings.HasSuffix(before, "_password=") && strings.Contains(shown[len(before)-len("password="):], "=hunter2") {
			t.Errorf("%q + hunter2 + %q shows as %q", before, after, shown)
		}
	})
}
