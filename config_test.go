package retort_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
)

// inFolder runs the test in a folder with these files and a clean environment.
func inFolder(t *testing.T, files map[string]string, env map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, line := range os.Environ() {
		if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "RETORT_") || slices.Contains([]string{"SECRET_KEY", "DATABASE_URL", "PORT"}, name) {
			t.Setenv(name, "") // an empty variable counts as not set
		}
	}
	for name, v := range env {
		t.Setenv(name, v)
	}
}

func TestConfigDefaults(t *testing.T) {
	inFolder(t, nil, nil)
	cfg := retort.New().Config()
	if cfg.Name != "app" || cfg.Addr != "127.0.0.1:8000" || cfg.Debug || cfg.DisableCSRF || cfg.AccessLog || cfg.SecretKey != "" ||
		cfg.Limits.Body != 10_000_000 || cfg.Limits.FormFields != 1000 || cfg.Session.Lifetime != 31*24*time.Hour ||
		cfg.Server.ReadHeaderTimeout != 5*time.Second || cfg.Session.SameSite != "lax" || len(cfg.TrustedProxies) > 0 {
		t.Errorf("defaults %+v", cfg)
	}
}

func TestConfigSourcesInTheirOrder(t *testing.T) {
	inFolder(t, map[string]string{
		"retort.toml": "name = \"toml\"\naddr = \"toml:1\"\nlog_level = \"warn\"\n[session]\nlifetime = \"1h\"\n[limits]\nbody = \"1MB\"\n",
		".env":        "RETORT_ADDR=env-file:1\nRETORT_LOG_LEVEL=error\nSECRET_KEY=from the .env file, and long enough\n",
	}, map[string]string{"RETORT_LOG_LEVEL": "debug", "DATABASE_URL": "sqlite:x.db", "RETORT_HOSTS": "a.example, .b.example"})
	app := retort.New(retort.Config{Name: "code", Addr: "code:1", BaseURL: "https://code.example", Limits: retort.Limits{Files: 3}})
	cfg := app.Config()
	for _, test := range []struct{ what, got, want string }{
		{"name: toml over code", cfg.Name, "toml"},
		{"addr: .env over toml", cfg.Addr, "env-file:1"},
		{"log level: environment over .env", cfg.LogLevel, "debug"},
		{"base URL: code over default", cfg.BaseURL, "https://code.example"},
		{"secret", cfg.SecretKey, "from the .env file, and long enough"},
		{"database", cfg.DatabaseURL, "sqlite:x.db"},
		{"hosts", strings.Join(cfg.Hosts, "|"), "a.example|.b.example"},
		{"lifetime", cfg.Session.Lifetime.String(), "1h0m0s"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.what, test.got, test.want)
		}
	}
	if cfg.Limits.Body != 1_000_000 || cfg.Limits.Files != 3 || cfg.Limits.Parts != 1000 {
		t.Errorf("limits %+v", cfg.Limits)
	}
}

func TestConfigPort(t *testing.T) {
	inFolder(t, nil, map[string]string{"PORT": "9000"})
	if got := retort.New().Config().Addr; got != ":9000" {
		t.Errorf("with PORT: %s", got)
	}
	if got := retort.New(retort.Config{Addr: "127.0.0.1:1"}).Config().Addr; got != "127.0.0.1:1" {
		t.Errorf("with PORT and Addr: %s", got)
	}
}

func TestConfigMistakesAreNamedTogetherAtStart(t *testing.T) {
	inFolder(t, map[string]string{"retort.toml": "[limits]\nform_fields = 0\nnonsense = 1\n"}, map[string]string{
		"RETORT_DEBUG": "perhaps", "RETORT_SESSION_SAME_SITE": "loose", "RETORT_LOG_FORMAT": "xml", "RETORT_SERVER_READ_TIMEOUT": "soon",
	})
	app := retort.New()
	err := app.Prepare()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"limits.form_fields", "retort.toml:2", "limits.nonsense", "RETORT_DEBUG", "true or false", "RETORT_SESSION_SAME_SITE", "lax, strict",
		"RETORT_LOG_FORMAT", "RETORT_SERVER_READ_TIMEOUT", "perhaps",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if out, callErr := app.Call(context.Background(), "serve"); callErr == nil || !strings.Contains(out, "RETORT_DEBUG") {
		t.Errorf("serve: %v\n%s", callErr, out)
	}
	// The command that shows the configuration works all the same.
	if out, callErr := app.Call(context.Background(), "config"); callErr == nil || !strings.Contains(out, "session.lifetime") {
		t.Errorf("config: %v\n%s", callErr, out)
	}
}

func TestConfigMistakesThatSpanFields(t *testing.T) {
	inFolder(t, nil, nil)
	for want, cfg := range map[string]retort.Config{
		"base_url":        {BaseURL: "example.com"},
		"base_url is \"f": {BaseURL: "ftp://example.com"},
		"trusted_origins": {TrustedOrigins: []string{"example.com"}},
		"trusted_proxies": {TrustedProxies: []string{"10.0.0.0/99"}},
		"hosts has \"ht":  {Hosts: []string{"example.com", "https://example.com"}},
		"hosts has \"ex":  {Hosts: []string{"example.com:443"}},
		"hosts has \"[":   {Hosts: []string{"[::1]"}},
		"proxy_hops":      {ProxyHops: 1},
		"go together":     {Server: retort.ServerConfig{CertFile: "c.pem"}},
		"at least 16":     {SecretKey: "short"},
	} {
		err := retort.New(cfg).Prepare()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
		if err != nil && strings.Contains(err.Error(), "short") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestConfigCommandHidesSecrets(t *testing.T) {
	inFolder(t, map[string]string{".env": "SECRET_KEY=hunter2 and hunter2 and hunter2\n"}, map[string]string{
		"DATABASE_URL": "postgres://u:hunter2@db/x", "SECRET_KEY_FALLBACKS": "hunter2 the older and longer one",
	})
	app := retort.New(retort.Config{Name: "blog"})
	text, err := app.Call(context.Background(), "config")
	if err != nil || strings.Contains(text, "hunter2") || !strings.Contains(text, ".env") || !strings.Contains(text, "code") {
		t.Errorf("%v\n%s", err, text)
	}
	raw, err := app.Call(context.Background(), "config", "--json")
	var report struct {
		Settings []struct{ Key, Value, Source string }
	}
	if err := json.Unmarshal([]byte(raw), &report); err != nil {
		t.Fatal(err)
	}
	if err != nil || strings.Contains(raw, "hunter2") || len(report.Settings) < 30 || report.Settings[0].Key != "name" || report.Settings[0].Source != "code" {
		t.Errorf("%v\n%.500s", err, raw)
	}
}

func TestConfigOfOwnSectionsIsLeftAlone(t *testing.T) {
	inFolder(t, map[string]string{"retort.toml": "[mail]\nhost = \"x\"\n"}, nil)
	if err := retort.New().Prepare(); err != nil {
		t.Errorf("a section of another part of the program: %v", err)
	}
}

func TestDebugIsOffUnlessAskedFor(t *testing.T) {
	inFolder(t, nil, map[string]string{"DEBUG": "1", "FLASK_DEBUG": "1", "ENV": "development"})
	if retort.New().Config().Debug {
		t.Error("debug is on")
	}
	t.Setenv("RETORT_DEBUG", "true")
	if !retort.New().Config().Debug {
		t.Error("debug is off")
	}
}
