package retort_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestAccessLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	cfg := quiet()
	cfg.AccessLog = true
	cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { c.RequestID(); return c.Text("hello") })
	app.Get("/fail", func(*retort.Ctx) error { return errors.New("broken") })
	client := retorttest.New(t, app)
	client.Get("/?secret=1")
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	for key, want := range map[string]any{"msg": "request", "level": "INFO", "method": "GET", "path": "/", "status": 200.0, "bytes": 5.0, "remote": "127.0.0.1"} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	if id, _ := line["request_id"].(string); len(id) != 16 || line["duration"] == nil || strings.Contains(log.String(), "secret") {
		t.Errorf("line %s", &log)
	}
	log.Reset()
	client.Get("/fail")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"msg":"request failed"`) || !strings.Contains(lines[0], `"route":"/fail"`) || !strings.Contains(lines[1], `"status":500`) {
		t.Errorf("log %s", &log)
	}
	log.Reset()
	client.Get("/nowhere")
	if !strings.Contains(log.String(), `"status":404`) || strings.Contains(log.String(), "ERROR") {
		t.Errorf("log %s", &log)
	}
}

func TestSecurityPathsCannotForgeLogLines(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(log *bytes.Buffer) slog.Handler{
		"text": func(log *bytes.Buffer) slog.Handler { return slog.NewTextHandler(log, nil) },
		"json": func(log *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(log, nil) },
	} {
		var log bytes.Buffer
		cfg := quiet()
		cfg.AccessLog = true
		cfg.Logger = slog.New(handler(&log))
		app := retort.New(cfg)
		app.Get("/fail/{x:path}", func(*retort.Ctx) error { return errors.New("broken") })
		for _, path := range []string{"/a\nlevel=ERROR msg=forged", "/fail/a\r\nlevel=ERROR msg=forged", "/\x1b[31mred", "/\x00\x7f\u009b31m\u2028", "/" + strings.Repeat("é", 100_000)} {
			log.Reset()
			ask(app, "GET", "/", func(r *http.Request) { r.URL = &url.URL{Path: path} })
			for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
				if len(line) > 12_000 || strings.ContainsAny(line, "\r\x1b\x00\x7f\u009b") || strings.HasPrefix(line, "level=ERROR msg=forged") {
					t.Errorf("%s: %.40q is logged as %q", name, path, line)
				}
			}
		}
	}
}

func TestLogFormatAndLevel(t *testing.T) {
	inFolder(t, nil, nil)
	for _, cfg := range []retort.Config{{LogFormat: "json"}, {LogFormat: "text", LogLevel: "warn"}, {Debug: true}} {
		app := retort.New(cfg)
		debug, info := app.Logger().Enabled(t.Context(), slog.LevelDebug), app.Logger().Enabled(t.Context(), slog.LevelInfo)
		if debug != cfg.Debug || info != (cfg.LogLevel == "") {
			t.Errorf("%+v: debug %v, info %v", cfg, debug, info)
		}
	}
}

func TestMissingSecretIsMentionedOnce(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	cfg.SecretKey = ""
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { c.Session().Set("a", 1); return c.NoContent() })
	app.Get("/without", text("x"))
	client := retorttest.New(t, app)
	client.Get("/without")
	if log.Len() > 0 {
		t.Errorf("without a session: %s", log)
	}
	client.Get("/")
	client.Fresh().Get("/")
	if strings.Count(log.String(), "SECRET_KEY") != 2 { // the message and its hint
		t.Errorf("log: %s", log)
	}
}

func TestDebugModeLogsRequestsHoweverItWasTurnedOn(t *testing.T) {
	cfg, log := logged()
	t.Setenv("RETORT_DEBUG", "1")
	app := retort.New(cfg)
	app.Get("/seen", text("seen"))
	retorttest.New(t, app).Get("/seen").Status(200)
	if !strings.Contains(log.String(), "path=/seen") {
		t.Errorf("the request was not logged: %q", log)
	}
}

func TestAnOutageThatSomebodyDecidedOnIsNotLoggedForEachRequest(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/decided", func(*retort.Ctx) error { return retort.ServiceUnavailable(0, "") })
	app.Get("/failed", func(*retort.Ctx) error { return retort.ServiceUnavailable(0, "").Wrap(errors.New("refused")) })
	client := retorttest.New(t, app)
	client.Get("/decided").Status(503)
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
	client.Get("/failed").Status(503)
	if !strings.Contains(log.String(), "refused") {
		t.Errorf("log: %s", log)
	}
}
