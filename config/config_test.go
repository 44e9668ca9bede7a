package config_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/config"
)

// folder makes a folder with files.
func folder(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// sources are the places one test puts values.
type sources struct {
	env    []string
	dotenv string
	toml   string
}

func (s sources) options(tb testing.TB) config.Options {
	tb.Helper()
	files := map[string]string{}
	if s.dotenv != "" {
		files[".env"] = s.dotenv
	}
	if s.toml != "" {
		files["retort.toml"] = s.toml
	}
	o := config.Options{Environ: s.env, Dir: folder(tb, files)}
	if o.Environ == nil {
		o.Environ = []string{}
	}
	return o
}

type site struct {
	Addr    string `default:":5000" help:"address to listen on"`
	Debug   bool
	Workers int         `default:"4" min:"1" max:"64"`
	Upload  config.Size `default:"10MB" min:"1kB"`
	Log     string      `config:"log_format" default:"auto" oneof:"auto text json"`
	Hosts   []string    `max:"3"`
	Secret  string      `env:"SECRET_KEY" secret:"true" min:"16"`
	DB      string      `config:"database_url" env:"DATABASE_URL"`
	Session struct {
		Lifetime time.Duration `default:"31d" min:"1m"`
		SameSite string        `default:"lax" oneof:"lax strict none"`
	}
	Unrelated func() `config:"-"`
	private   int
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	env := []string{"RETORT_ADDR=:1"}
	const dotenv, toml = "# first line\nRETORT_ADDR=:2\n", "debug = true\naddr = ':3'\n"
	for _, tt := range []struct {
		name         string
		sources      sources
		code         string
		want, source string
	}{
		{"environment", sources{env, dotenv, toml}, ":4", ":1", "environment variable RETORT_ADDR"},
		{".env", sources{nil, dotenv, toml}, ":4", ":2", ".env:2"},
		{"TOML", sources{nil, "", toml}, ":4", ":3", "retort.toml:2"},
		{"code", sources{}, ":4", ":4", "code"},
		{"default", sources{}, "", ":5000", "default"},
		{"an empty variable is not set", sources{[]string{"RETORT_ADDR="}, "RETORT_ADDR=\n", ""}, "", ":5000", "default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := site{Addr: tt.code}
			report, err := config.Load(&cfg, tt.sources.options(t))
			if err != nil {
				t.Fatal(err)
			}
			setting, _ := report.Lookup("addr")
			if cfg.Addr != tt.want || setting.Value != tt.want || setting.Source != tt.source {
				t.Errorf("addr is %q, report says %q from %q; want %q from %q", cfg.Addr, setting.Value, setting.Source, tt.want, tt.source)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg := site{private: 7}
	if _, err := config.Load(&cfg, sources{}.options(t)); err != nil {
		t.Fatal(err)
	}
	want := site{Addr: ":5000", Workers: 4, Upload: 10 * config.MB, Log: "auto", private: 7}
	want.Session.Lifetime, want.Session.SameSite = 31*24*time.Hour, "lax"
	if diff := cmp.Diff(want, cfg, cmp.AllowUnexported(site{})); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
}

// kinds has a field of every kind.
type kinds struct {
	String   string
	Bool     bool
	Int      int
	Int8     int8
	Uint16   uint16
	Float    float64
	Duration time.Duration
	Size     config.Size
	Time     time.Time
	Net      netip.Prefix
	Level    slog.Level
	Pointer  *int
	List     []string
	Numbers  []int
	Waits    []time.Duration
	Nets     []netip.Prefix
	Map      map[string]int
}

func TestKinds(t *testing.T) {
	t.Parallel()
	seven := 7
	when := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	net := netip.MustParsePrefix("10.0.0.0/8")
	for _, tt := range []struct {
		name  string // of the field, in snake case
		text  string // of the variable
		toml  string // further spellings in a file
		check func(kinds) any
		want  any
	}{
		{"string", " as it is ", `" as it is "`, func(k kinds) any { return k.String }, " as it is "},
		{"bool", "True", "true", func(k kinds) any { return k.Bool }, true},
		{"bool", "1", `"yes"`, func(k kinds) any { return k.Bool }, true},
		{"bool", "ON", `"y"`, func(k kinds) any { return k.Bool }, true},
		{"bool", "False", "false", func(k kinds) any { return k.Bool }, false},
		{"bool", "off", `"0"`, func(k kinds) any { return k.Bool }, false},
		{"int", "-10_000", "-10_000", func(k kinds) any { return k.Int }, -10_000},
		{"int", " 5 ", `"5"`, func(k kinds) any { return k.Int }, 5},
		{"int8", "-128", "-128", func(k kinds) any { return k.Int8 }, int8(-128)},
		{"uint16", "65535", "65535", func(k kinds) any { return k.Uint16 }, uint16(65535)},
		{"float", "0.25", "0.25", func(k kinds) any { return k.Float }, 0.25},
		{"float", "3", "3", func(k kinds) any { return k.Float }, 3.0},
		{"duration", "1h30m", `"90m"`, func(k kinds) any { return k.Duration }, 90 * time.Minute},
		{"duration", "1w2d12h", `"9.5d"`, func(k kinds) any { return k.Duration }, 228 * time.Hour},
		{"duration", "0", "0", func(k kinds) any { return k.Duration }, time.Duration(0)},
		{"size", "1.5 MiB", "1_572_864", func(k kinds) any { return k.Size }, 1536 * config.KiB},
		{"size", "10mb", `"10 MB"`, func(k kinds) any { return k.Size }, 10 * config.MB},
		{"time", "2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z", func(k kinds) any { return k.Time.UTC() }, when},
		{"net", "10.0.0.0/8", `"10.0.0.0/8"`, func(k kinds) any { return k.Net }, net},
		{"level", "WARN", `"warn"`, func(k kinds) any { return k.Level }, slog.LevelWarn},
		{"pointer", "7", "7", func(k kinds) any { return k.Pointer }, &seven},
		{"list", "a, b,,c ", `["a", "b", "c"]`, func(k kinds) any { return k.List }, []string{"a", "b", "c"}},
		{"list", "one", `"one"`, func(k kinds) any { return k.List }, []string{"one"}},
		{"list", ",", "[]", func(k kinds) any { return k.List }, []string{}},
		{"list", "a,b", "'a, b'", func(k kinds) any { return k.List }, []string{"a", "b"}},
		{"numbers", "1,2", "[1, 2]", func(k kinds) any { return k.Numbers }, []int{1, 2}},
		{"waits", "1s,2d", `["1s", "2d"]`, func(k kinds) any { return k.Waits }, []time.Duration{time.Second, 48 * time.Hour}},
		{"nets", "10.0.0.0/8", `["10.0.0.0/8"]`, func(k kinds) any { return k.Nets }, []netip.Prefix{net}},
		{"map", "a=1, b = 2", "{a = 1, b = 2}", func(k kinds) any { return k.Map }, map[string]int{"a": 1, "b": 2}},
	} {
		t.Run(tt.name+" "+tt.text, func(t *testing.T) {
			t.Parallel()
			for from, s := range map[string]sources{
				"variable": {env: []string{"RETORT_" + strings.ToUpper(tt.name) + "=" + tt.text}},
				"file":     {toml: tt.name + " = " + tt.toml},
			} {
				var got kinds
				report, err := config.Load(&got, s.options(t))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, tt.check(got), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
					t.Errorf("%s: value differs (-want +got):\n%s", from, diff)
				}
				// What the report shows can be put back.
				setting, _ := report.Lookup(tt.name)
				if setting.Value == "" {
					continue
				}
				var again kinds
				o := sources{env: []string{"RETORT_" + strings.ToUpper(tt.name) + "=" + setting.Value}}.options(t)
				if _, err := config.Load(&again, o); err != nil {
					t.Fatalf("%s: the report's value is refused: %v", from, err)
				}
				if diff := cmp.Diff(tt.check(got), tt.check(again), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
					t.Errorf("%s: the report's value %q differs:\n%s", from, setting.Value, diff)
				}
			}
		})
	}
}

// Base is what an app's own settings are built on.
type Base struct {
	Addr string
}

func TestEmbeddedStruct(t *testing.T) {
	t.Parallel()
	var cfg struct {
		Base
		StripeKey string
	}
	report, err := config.Load(&cfg, sources{env: []string{"RETORT_ADDR=:1", "RETORT_STRIPE_KEY=hunter2"}}.options(t))
	if err != nil || cfg.Addr != ":1" || cfg.StripeKey != "hunter2" {
		t.Errorf("config is %+v, %v", cfg, err)
	}
	if setting, _ := report.Lookup("stripe_key"); setting.Value != "********" {
		t.Errorf("a key is shown: %+v", setting)
	}
}

func TestSectionWithoutLines(t *testing.T) {
	t.Parallel()
	var cfg site
	if _, err := config.Load(&cfg, sources{toml: "[session]\n# lifetime = '1h'\n[mail]\n"}.options(t)); err != nil {
		t.Error(err)
	}
}

func TestFurtherVariables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{[]string{"DATABASE_URL=b"}, "b"},
		{[]string{"DATABASE_URL=b", "RETORT_DATABASE_URL=a"}, "a"},
		{[]string{"DATABASE_URL=b", "RETORT_DATABASE_URL="}, "b"},
		{nil, ""},
	} {
		var cfg site
		if _, err := config.Load(&cfg, sources{env: tt.env}.options(t)); err != nil || cfg.DB != tt.want {
			t.Errorf("%q: database is %q, %v; want %q", tt.env, cfg.DB, err, tt.want)
		}
	}
}

func TestSecretFromAFile(t *testing.T) {
	t.Parallel()
	o := config.Options{Dir: folder(t, map[string]string{"key": "0123456789abcdef hunter2\r\nsecond line\n"})}
	load := func(env ...string) (site, error) {
		var cfg site
		o.Environ = env
		report, err := config.Load(&cfg, o)
		if err == nil && len(report.Warnings) > 0 {
			t.Errorf("warnings: %v", report.Warnings)
		}
		return cfg, err
	}
	for _, name := range []string{"SECRET_KEY_FILE", "RETORT_SECRET_FILE"} {
		if cfg, err := load(name + "=key"); err != nil || cfg.Secret != "0123456789abcdef hunter2" {
			t.Errorf("%s: secret is %q, %v", name, cfg.Secret, err)
		}
	}
	if cfg, _ := load("SECRET_KEY_FILE=key", "SECRET_KEY=the value comes first"); cfg.Secret != "the value comes first" {
		t.Errorf("secret is %q", cfg.Secret)
	}
	want := "config: environment variable SECRET_KEY_FILE: secret names a file that cannot be read: no such file or directory"
	if _, err := load("SECRET_KEY_FILE=missing"); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if _, err := load("SECRET_KEY_FILE=."); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error is %v", err)
	}
	if cfg, err := load("DATABASE_URL_FILE=key"); err != nil || cfg.DB != "" {
		t.Errorf("a setting that is no secret is read from a file: %q, %v", cfg.DB, err)
	}
}

func TestNamedFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"local.toml": "addr = 'local'", "base.toml": "addr = 'base'\nworkers = 2",
		".env.local": "RETORT_UPLOAD=1MB", ".env": "RETORT_UPLOAD=2MB\nRETORT_DEBUG=1",
	})
	load := func(toml, dotenv []string) (site, *config.Report, error) {
		var cfg site
		report, err := config.Load(&cfg, config.Options{Dir: dir, Files: toml, DotEnv: dotenv, Environ: []string{}})
		return cfg, report, err
	}
	cfg, report, err := load([]string{"local.toml", "base.toml"}, []string{".env.local", ".env"})
	if err != nil || cfg.Addr != "local" || cfg.Workers != 2 || cfg.Upload != config.MB || !cfg.Debug {
		t.Errorf("config is %+v, %v", cfg, err)
	}
	if got := strings.Join(report.Files, " "); got != ".env.local .env local.toml base.toml" {
		t.Errorf("files are %s", got)
	}
	if cfg, _, err := load([]string{}, []string{}); err != nil || cfg.Debug {
		t.Errorf("files that nobody named are read: %+v, %v", cfg, err)
	}
	want := "config: 2 settings are wrong:\n  no.env: cannot be read: no such file or directory\n  no.toml: cannot be read: no such file or directory"
	if _, _, err := load([]string{"no.toml"}, []string{"no.env"}); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	var cfg struct {
		Key string `env:"STRIPE_KEY" required:"true" help:"from the dashboard"`
	}
	_, err := config.Load(&cfg, sources{}.options(t))
	want := "config: key is not set; set RETORT_KEY or STRIPE_KEY, or key in the TOML file (from the dashboard)"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if _, err := config.Load(&cfg, sources{env: []string{"STRIPE_KEY=x"}}.options(t)); err != nil {
		t.Error(err)
	}
}

type checked struct {
	Min, Max int
	Inner    checkedInner
}

func (c *checked) Validate() error {
	if c.Min > c.Max {
		return errors.New("min is greater than max")
	}
	return nil
}

type checkedInner struct{ Cert, Key string }

func (c checkedInner) Validate() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("needs cert and key together")
	}
	return nil
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cfg := checked{Min: 2, Max: 1}
	_, err := config.Load(&cfg, sources{env: []string{"RETORT_INNER_CERT=x"}}.options(t))
	want := "config: 2 settings are wrong:\n  inner needs cert and key together\n  min is greater than max"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestExport(t *testing.T) {
	t.Setenv("CONFIG_TEST_SET", "before")
	t.Setenv("CONFIG_TEST_NEW", "") // so that it is taken back
	os.Unsetenv("CONFIG_TEST_NEW")
	var cfg site
	_, err := config.Load(&cfg, config.Options{
		Dir: folder(t, map[string]string{".env": "CONFIG_TEST_SET=file\nCONFIG_TEST_NEW=file\n"}), Export: true,
	})
	if set, fresh := os.Getenv("CONFIG_TEST_SET"), os.Getenv("CONFIG_TEST_NEW"); err != nil || set != "before" || fresh != "file" {
		t.Errorf("variables are %q and %q, %v", set, fresh, err)
	}
}

func BenchmarkLoad(b *testing.B) {
	o := sources{
		env:    append(os.Environ(), "RETORT_WORKERS=8", "SECRET_KEY=0123456789abcdef"),
		dotenv: "RETORT_ADDR=:80\nRETORT_UPLOAD=1MB\n", toml: "debug = true\n[session]\nlifetime = '1h'\n",
	}.options(b)
	b.ReportAllocs()
	for b.Loop() {
		var cfg site
		if _, err := config.Load(&cfg, o); err != nil {
			b.Fatal(err)
		}
	}
}
