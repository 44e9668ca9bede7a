package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/config"
)

func TestWrongValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		sources sources
		want    string
	}{
		{"bool", sources{env: []string{"RETORT_DEBUG=maybe"}}, `config: environment variable RETORT_DEBUG: debug is "maybe", must be true or false (also yes, no, on, off, 1, 0)`},
		{"number", sources{dotenv: "\n\nRETORT_WORKERS=many"}, `config: .env:3: workers is "many", must be a whole number`},
		{"fraction", sources{toml: "workers = 1.5"}, `config: retort.toml:1: workers is "1.5", must be a whole number`},
		{"too small", sources{toml: "\nworkers = 0"}, `config: retort.toml:2: workers is "0", must be from 1 to 64`},
		{"too large", sources{env: []string{"RETORT_WORKERS=65"}}, `config: environment variable RETORT_WORKERS: workers is "65", must be from 1 to 64`},
		{"beyond int", sources{env: []string{"RETORT_WORKERS=99999999999999999999"}}, `config: environment variable RETORT_WORKERS: workers is "99999999999999999999", must be a whole number`},
		{"choice", sources{toml: "log_format = 'xml'"}, `config: retort.toml:1: log_format is "xml", must be one of auto, text, json`},
		{"choice of another kind", sources{toml: "log_format = 5"}, `config: retort.toml:1: log_format is "5", must be one of auto, text, json`},
		{"duration without unit", sources{toml: "[session]\nlifetime = 30"}, `config: retort.toml:2: session.lifetime is "30", must be a duration with a unit, such as 90s, 15m, 1h30m or 31d`},
		{"duration too short", sources{toml: "session.lifetime = '59s'"}, `config: retort.toml:1: session.lifetime is "59s", must be at least 1m`},
		{"size", sources{env: []string{"RETORT_UPLOAD=ten"}}, `config: environment variable RETORT_UPLOAD: upload is "ten", must be a size, such as 512kB, 10MB or 1GiB`},
		{"size too small", sources{env: []string{"RETORT_UPLOAD=10"}}, `config: environment variable RETORT_UPLOAD: upload is "10", must be at least 1kB`},
		{"list too long", sources{env: []string{"RETORT_HOSTS=a,b,c,d"}}, `config: environment variable RETORT_HOSTS: hosts is "a,b,c,d", must be at most 3 entries`},
		{"text for a number in TOML", sources{toml: "addr = 8000"}, `config: retort.toml:1: addr is "8000", must be text in quotes`},
		{"number for a bool in TOML", sources{toml: "debug = 1"}, `config: retort.toml:1: debug is "1", must be true or false`},
		{"list for a text in TOML", sources{toml: "addr = ['a']"}, `config: retort.toml:1: addr is "a", must be text in quotes, not a list`},
		{"table for a text in TOML", sources{toml: "[addr]\nport = 1"}, `config: retort.toml:1: addr is "port=1", must be text in quotes, not a table`},
		{"text for a section", sources{toml: "session = 'x'"}, `config: retort.toml:1: session is a section; write its settings below [session]`},
		{"password in a URL is not shown", sources{toml: "hosts = ['a', 'postgres://u:hunter2@h/d', 'c', 'd']"}, `config: retort.toml:1: hosts is "a, postgres://u:********@h/d, c, d", must be at most 3 entries`},
		{"secret", sources{env: []string{"SECRET_KEY=hunter2"}}, `config: environment variable SECRET_KEY: secret is "********", must be at least 16 bytes`},
		{"not TOML", sources{toml: "addr = ':1'\ndebug = yes"}, `config: retort.toml:2: is not valid TOML: `},
		{"not TOML at a secret", sources{toml: "secret = hunter2"}, "config: retort.toml:1: is not valid TOML"},
		{"not .env", sources{dotenv: "A=1\nhunter2"}, `config: .env:2: has no =; write NAME=value`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var cfg site
			report, err := config.Load(&cfg, tt.sources.options(t))
			var all *config.Error
			if !errors.As(err, &all) || len(all.Problems) != 1 {
				t.Fatalf("error is %v, want one problem", err)
			}
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error is\n\t%s, want\n\t%s", err, tt.want)
			}
			if report == nil || len(report.Settings) != 10 {
				t.Errorf("the report is missing or incomplete: %v", report)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	var cfg site
	_, err := config.Load(&cfg, sources{
		env:    []string{"RETORT_WORKERS=many", "RETORT_SESSION_SAME_SITE=any"},
		dotenv: "RETORT_UPLOAD=big",
		toml:   "adress = 'x'\naddr = 5\nallowed-hosts = []\n[sesion]\nlifetime = '1h'\n[session]\nlifetme = '1h'\n",
	}.options(t))
	want := `config: 8 settings are wrong:
  retort.toml:2: addr is "5", must be text in quotes
  environment variable RETORT_WORKERS: workers is "many", must be a whole number
  .env:1: upload is "big", must be a size, such as 512kB, 10MB or 1GiB
  environment variable RETORT_SESSION_SAME_SITE: session.same_site is "any", must be one of lax, strict, none
  retort.toml:1: adress is not a setting
  retort.toml:3: allowed-hosts is not a setting
  retort.toml:5: sesion.lifetime is not a setting; did you mean session.lifetime?
  retort.toml:7: session.lifetme is not a setting; did you mean session.lifetime?`
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v\nwant\n%s", err, want)
	}
	if cfg.Workers != 0 || cfg.Addr != "" {
		t.Errorf("a wrong value was set: %+v", cfg)
	}
}

func TestWrongValueInCode(t *testing.T) {
	t.Parallel()
	cfg := site{Workers: 1000, Log: "xml", Secret: "hunter2"}
	_, err := config.Load(&cfg, sources{}.options(t))
	want := `config: 3 settings are wrong:
  code: workers is "1000", must be from 1 to 64
  code: log_format is "xml", must be one of auto, text, json
  code: secret is "********", must be at least 16 bytes`
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v\nwant\n%s", err, want)
	}
}

func TestUnknownVariablesAreWarnings(t *testing.T) {
	t.Parallel()
	var cfg site
	report, err := config.Load(&cfg, sources{
		env:    []string{"RETORT_WROKERS=1", "RETORT_SOMETHING=1", "PATH=/bin", "SECRET_KEY_FILE=", "RETORTX=1"},
		dotenv: "RETORT_ADR=:1\nOTHER=1",
	}.options(t))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(report.Warnings)
	for _, want := range []string{
		".env:1: RETORT_ADR is not a setting; did you mean RETORT_ADDR?",
		"environment variable RETORT_SOMETHING: is not a setting",
		"environment variable RETORT_WROKERS: is not a setting; did you mean RETORT_WORKERS?",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("warnings are %s, want %s", got, want)
		}
	}
	if len(report.Warnings) != 3 {
		t.Errorf("warnings are %s", got)
	}
}

func TestPartsOfAProgram(t *testing.T) {
	t.Parallel()
	s := sources{
		env:  []string{"RETORT_MAIL_HOST=mx", "RETORT_CACHE_TTL=1m"},
		toml: "debug = true\n[mail]\nport = 25\n[cache]\nttl = '2m'\n[session]\nlifetime = '1h'\n",
	}
	t.Run("the app allows for them", func(t *testing.T) {
		t.Parallel()
		for _, allow := range [][]string{{"mail", "cache"}, {"*"}} {
			var cfg site
			o := s.options(t)
			o.Allow = allow
			report, err := config.Load(&cfg, o)
			if err != nil || len(report.Warnings) > 0 {
				t.Errorf("allowing %q: %v, %v", allow, err, report.Warnings)
			}
		}
	})
	t.Run("but not for mistakes in its own", func(t *testing.T) {
		t.Parallel()
		var cfg site
		o := sources{env: []string{"RETORT_WROKERS=1"}, toml: "debg = true\n[session]\nx = 1\n"}.options(t)
		o.Allow = []string{"*"}
		report, err := config.Load(&cfg, o)
		want := "config: 2 settings are wrong:\n  retort.toml:1: debg is not a setting; did you mean debug?\n  retort.toml:3: session.x is not a setting"
		if err == nil || err.Error() != want || len(report.Warnings) != 1 {
			t.Errorf("error is %v, warnings %v", err, report.Warnings)
		}
	})
	t.Run("a part reads its section", func(t *testing.T) {
		t.Parallel()
		var mail struct {
			Host string
			Port int
		}
		o := s.options(t)
		o.Section = "mail"
		report, err := config.Load(&mail, o)
		if err != nil || mail.Host != "mx" || mail.Port != 25 || len(report.Warnings) > 0 {
			t.Errorf("mail is %+v, %v, %v", mail, err, report.Warnings)
		}
		if setting, ok := report.Lookup("mail.port"); !ok || setting.Source != "retort.toml:3" {
			t.Errorf("report says %+v", setting)
		}
	})
}

func TestTheWrongFile(t *testing.T) {
	t.Parallel()
	var toml strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&toml, "k%d=1\n", i)
	}
	var cfg site
	_, err := config.Load(&cfg, sources{toml: toml.String()}.options(t))
	if err == nil || strings.Count(err.Error(), "\n") != 21 || !strings.Contains(err.Error(), "1980 more keys") {
		t.Errorf("error is %v", err)
	}
	toml.WriteString(strings.Repeat("#", 300_000))
	_, err = config.Load(&cfg, sources{toml: toml.String()}.options(t))
	if err == nil || !strings.Contains(err.Error(), "retort.toml: cannot be read: larger than") {
		t.Errorf("error is %v", err)
	}
}

func TestMistakesInTheStruct(t *testing.T) {
	t.Parallel()
	var text string
	for name, tt := range map[string]struct {
		dst  any
		want string
	}{
		"nil":           {nil, "pointer to one, not <nil>"},
		"no pointer":    {site{}, "not config_test.site"},
		"no struct":     {&text, "not *string"},
		"nil pointer":   {(*site)(nil), "not *config_test.site"},
		"kind":          {&struct{ C chan int }{}, "C: type chan int cannot be a setting"},
		"list of lists": {&struct{ C [][]int }{}, "cannot be a setting"},
		"default": {&struct {
			N int `default:"x"`
		}{}, `N: tag default is "x", must be a whole number`},
		"default not allowed": {&struct {
			N int `default:"9" max:"5"`
		}{}, "must be at most 5"},
		"default not listed": {&struct {
			S string `default:"c" oneof:"a b"`
		}{}, "must be one of a, b"},
		"bound": {&struct {
			N int `min:"x"`
		}{}, `N: tag min: "x" must be a whole number`},
		"bound of a bool": {&struct {
			B bool `max:"1"`
		}{}, "only numbers"},
		"flag": {&struct {
			S string `secret:"yes"`
		}{}, `tag secret is "yes"`},
		"key": {&struct {
			S string `config:"a.b"`
		}{}, `S: key "a.b" must be of small letters`},
		"same key": {&struct {
			A string `config:"x"`
			B string `config:"x"`
		}{}, `B: key "x" is also that of field .A`},
		"same variable": {&struct {
			Session  struct{ Name string }
			SessionX string `config:"session_name"`
		}{}, "SessionX: variable RETORT_SESSION_NAME also sets field .Session.Name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := config.Load(tt.dst, sources{}.options(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) || report == nil {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}
