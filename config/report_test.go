package config_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/config"
)

func TestReport(t *testing.T) {
	t.Parallel()
	cfg := site{Workers: 8}
	report, err := config.Load(&cfg, sources{
		env:  []string{"DATABASE_URL=postgres://ada:hunter2@db/blog", "SECRET_KEY=hunter2hunter2hunter2", "RETORT_ADR=x"},
		toml: "hosts = ['a', 'b']\naddr = \"\\u001b[31m\"\n",
	}.options(t))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `addr               "\x1b[31m"                       retort.toml:2                      address to listen on
debug              false                            default
workers            8                                code
upload             10MB                             default
log_format         auto                             default
hosts              a, b                             retort.toml:1
secret             ********                         environment variable SECRET_KEY
database_url       postgres://ada:********@db/blog  environment variable DATABASE_URL
session.lifetime   31d                              default
session.same_site  lax                              default
warning: environment variable RETORT_ADR: is not a setting; did you mean RETORT_ADDR?
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text differs (-want +got):\n%s", diff)
	}
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `{"key":"secret","env":["RETORT_SECRET","SECRET_KEY"],"value":"********","source":"environment variable SECRET_KEY","secret":true}`) {
		t.Errorf("JSON is %s", b)
	}
	if !strings.Contains(string(b), `"value":"8","source":"code","default":"4"`) {
		t.Errorf("JSON does not tell the default: %s", b)
	}
	if strings.Contains(text.String()+string(b), "hunter2") {
		t.Error("a secret is shown")
	}
}

// Nobody may read a secret in a log, whatever is wrong with it.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	type secrets struct {
		Pin      int    `secret:"true"`
		APIToken string `oneof:"a b"`
		Password []int
		Net      netip.Prefix `secret:"true"`
		Keys     map[string]int
		DSN      string `min:"100"`
		Plain    int
	}
	const value = "hunter2"
	for _, text := range []string{value, "'" + value, `"` + value, "[" + value, `"""` + value, value + " = " + value, "{" + value + "}", "\"\\" + value + "\""} {
		for _, name := range []string{"pin", "api_token", "password", "net", "keys", "dsn"} {
			variable := "RETORT_" + strings.ToUpper(name)
			for _, s := range []sources{
				{env: []string{variable + "=" + text}},
				{dotenv: variable + "=" + text},
				{dotenv: text},
				{toml: name + " = " + text},
				{toml: name + " = '" + value + "'"},
				{toml: name + " = [ '" + value + "', " + text},
				{toml: "[" + name + "]\n" + value + " = " + text},
			} {
				var cfg secrets
				report, err := config.Load(&cfg, s.options(t))
				b, _ := json.Marshal(report)
				if shown := fmt.Sprint(err) + string(b); strings.Contains(shown, value) {
					t.Errorf("%+v shows the secret: %s", s, shown)
				}
			}
		}
	}
}
