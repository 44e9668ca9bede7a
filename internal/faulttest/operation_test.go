//go:build unix

package faulttest_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongConfigurationIsNamed starts the blog with settings that cannot be
// right: it must not serve, and say which it is, and nothing that is secret.
func TestWrongConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for setting, want := range map[string]string{
		"SECRET_KEY=hush-hush":                               "secret key",
		"SECRET_KEY_FALLBACKS=hush-hush":                     "secret key 2",
		"DATABASE_URL=postgres://user:hush-hush@db.example/": "postgres",
		"DATABASE_URL=sqlite:blog.db?nonsense=hush-hush":     "nonsense",
		"DATABASE_URL=sqlite:/nowhere/at/all/blog.db":        "/nowhere/at/all/blog.db",
		"DATABASE_URL=//user:hush-hush@db.example/":          "scheme",
		"RETORT_ADDR=127.0.0.1:99999":                        "99999",
		"RETORT_ADDR=" + taken.Addr().String():               taken.Addr().String(),
		"RETORT_LIMITS_BODY=much":                            "RETORT_LIMITS_BODY",
		"RETORT_SERVER_READ_TIMEOUT=-5":                      "RETORT_SERVER_READ_TIMEOUT",
		"RETORT_LOG_LEVEL=loud":                              "RETORT_LOG_LEVEL",
		"RETORT_TRUSTED_PROXIES=everyone":                    "trusted_proxies",
		"RETORT_TRUSTED_ORIGINS=evil":                        "trusted_origins",
		"RETORT_BASE_URL=blog":                               "base_url",
		"RETORT_SERVER_CERT_FILE=a.pem":                      "cert_file",
		"RETORT_DEBUG=perhaps":                               "RETORT_DEBUG",
	} {
		s := launch(t, blogProgram, options{env: []string{setting}, faulty: true})
		if s.serves() {
			t.Errorf("%s is served", setting)
			continue
		}
		if log := s.logged(); s.wait() == nil || !strings.Contains(log, want) || strings.Contains(log, "hush") || strings.Contains(log, "goroutine ") {
			t.Errorf("%s: %v\n%s", setting, s.exit, log)
		}
	}
}

func TestCommandsKeepSecrets(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"config"}, {"config", "--json"}, {"check"}, {"check", "--deploy"}, {"routes"}, {"version"}, {"help"}, {"showmigrations"}} {
		s := launch(t, blogProgram, options{args: args, faulty: true})
		printed := make(chan string, 1)
		go func() {
			var b strings.Builder
			_, _ = s.out.WriteTo(&b)
			printed <- b.String()
		}()
		if s.serves() {
			t.Fatalf("%v serves", args)
		}
		if out := <-printed + s.logged(); strings.Contains(out, secretKey) || strings.Contains(out, oldKey) || strings.Contains(out, "goroutine ") {
			t.Errorf("%v prints:\n%s", args, out)
		}
	}
}

func TestUnknownHosts(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{env: []string{"RETORT_HOSTS=blog.example,.shop.example"}})
	for host, want := range map[string]int{
		"blog.example": 200, "BLOG.Example": 200, "blog.example:8000": 200, "blog.example.": 200, "shop.example": 200, "a.b.shop.example": 200,
		"evil.example": 400, "blog.example.evil.example": 400, "evilshop.example": 400, "a.blog.example": 400, "127.0.0.1": 400, "localhost": 400, "blog.example..": 400,
	} {
		a := s.ask(t, get("/", "Host: "+host))
		a.proper(t)
		if a.status != want {
			t.Errorf("%s: %d, want %d", host, a.status, want)
		}
		if a := s.ask(t, get("/", "Host: "+host, "X-Forwarded-Host: blog.example", "X_Forwarded_Host: blog.example", "Forwarded: host=blog.example")); a.status != want {
			t.Errorf("%s with a stranger's word for it: %d, want %d", host, a.status, want)
		}
	}
}

// TestForwardedHeaders looks in the log for who a site believes its client is.
func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	for trusted, tests := range map[string]map[string]string{
		"": {
			"X-Forwarded-For: 203.0.113.5": "127.0.0.1", "X_Forwarded_For: 203.0.113.5": "127.0.0.1",
			"X-Real-IP: 203.0.113.5": "127.0.0.1", "Forwarded: for=203.0.113.5": "127.0.0.1",
		},
		"loopback": {
			"X-Forwarded-For: 203.0.113.5": "203.0.113.5", "X-Forwarded-For: 198.51.100.1, 203.0.113.5": "203.0.113.5",
			"X-Forwarded-For: 203.0.113.5, 127.0.0.1": "203.0.113.5", "X-Forwarded-For: 203.0.113.5, rubbish": "127.0.0.1",
			"X-Forwarded-For: " + strings.Repeat("203.0.113.5,", 3000) + "203.0.113.6": "203.0.113.6",
			"X_Forwarded_For: 203.0.113.5":                                             "127.0.0.1", "X-Forwarded-For:": "127.0.0.1",
		},
	} {
		s := start(t, labProgram, options{env: []string{"RETORT_ACCESS_LOG=true", "RETORT_TRUSTED_PROXIES=" + trusted}})
		for line, want := range tests {
			before := len(s.logged())
			if a := s.ask(t, get("/", line)); a.status != 200 {
				t.Errorf("%.60s: %d", line, a.status)
			}
			await(t, "a line in the log", func() bool { return strings.Contains(s.logged()[before:], `"msg":"request"`) })
			if log := s.logged()[before:]; !strings.Contains(log, `"remote":"`+want+`"`) {
				t.Errorf("%.60s, trusting %q: %s", line, trusted, log)
			}
		}
	}
}

// TestLogLinesCannotBeForged sends line breaks and control sequences of
// terminals where the log repeats what was sent.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		s := start(t, labProgram, options{faulty: true, env: []string{"RETORT_ACCESS_LOG=true", "RETORT_LOG_LEVEL=debug", "RETORT_LOG_FORMAT=" + format}})
		for _, forged := range []string{
			"/%0a%7b%22level%22:%22forged%22%7d", "/%0d%0alevel=forged", "/%1b%5b2Jforged", "/%e2%80%a8forged", "/%00forged", "/%ff%0aforged", "/" + strings.Repeat("%0a", 5000),
			"/redirect?v=%0aforged%1b%5b2J", "/panic/handler?%0aforged", "/next?next=//%0aforged",
		} {
			if a := s.ask(t, get(forged, "User-Agent: forged\x1b[2J")); a.status == 0 {
				t.Error(forged)
			}
		}
		s.ask(t, request("FORGED\x1b", "/", ""))
		s.stop()
		for line := range strings.Lines(s.logged()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.ContainsAny(line, "\x1b\x00\r\u2028") && format == "text" || len(line) > 20_000 {
				t.Errorf("%s: %.200q", format, line)
			}
			var any map[string]any
			if format == "json" && json.Unmarshal([]byte(line), &any) != nil || format == "text" && !strings.HasPrefix(line, "time=") {
				t.Errorf("a forged line: %.200q", line)
			}
		}
	}
}

// TestPagesRepeatNothing sends a message for whoever follows a link.
func TestPagesRepeatNothing(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	const message = "Call-this-number-now"
	for _, target := range []string{"/" + message, "/posts/" + message, "/?page=" + message, "/api/posts?page=" + message, "/api/posts/" + message, "/static/" + message, "/tags/" + message} {
		for _, accept := range []string{"text/html", "application/json", "text/plain"} {
			if a := s.ask(t, get(target, "Accept: "+accept)); a.status < 400 || strings.Contains(a.body, message) {
				t.Errorf("%s as %s: %d repeats it:\n%s", target, accept, a.status, a.body)
			}
		}
	}
}

func TestAnswersSayWhatToDo(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	if a := s.ask(t, request("DELETE", "/posts/new", "")); a.status != 405 || a.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("%d %v", a.status, a.header)
	}
	for _, target := range []string{"/", "/nothing", "/posts/" + anyPost, "/api/posts?page=x"} {
		whole, head := s.ask(t, get(target)), s.ask(t, request("HEAD", target, ""))
		if head.status != whole.status || head.body != "" || head.header.Get("Content-Type") != whole.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d %v, GET: %d %v", target, head.status, head.header, whole.status, whole.header)
		}
	}
	lab := start(t, labProgram, options{})
	if a := lab.ask(t, get("/slash?q=a&b=//evil.example")); a.status != 308 || a.header.Get("Location") != "/slash/?q=a&b=//evil.example" {
		t.Errorf("%d %v", a.status, a.header)
	}
	for _, target := range []string{"//evil.example/slash", "/%2fevil.example/slash", `/%5cevil.example/slash`, "//slash", "/%09/slash"} {
		if a := lab.ask(t, get(target)); leaves(a.header.Get("Location")) || a.status >= 500 {
			t.Errorf("%s: %d %v", target, a.status, a.header)
		}
	}
}

// TestFilesOfASite looks at what a site writes beside itself.
func TestFilesOfASite(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	s.ask(t, comment("A+comment."))
	names, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o022 != 0 || !strings.HasPrefix(filepath.Base(name), "blog.db") {
			t.Errorf("%s: %v", name, info.Mode())
		}
	}
}
