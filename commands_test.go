package retort_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/retort-web/retort"
)

// TestMain runs the test binary as a program of ours when asked to.
func TestMain(m *testing.M) {
	switch os.Getenv("RETORT_TEST_PROGRAM") {
	case "":
		os.Exit(m.Run())
	case "slow":
		app := retort.New(retort.Config{Name: "slow", Addr: "127.0.0.1:0", LogFormat: "text"})
		app.HealthRoutes()
		app.Get("/slow", func(c *retort.Ctx) error {
			time.Sleep(300 * time.Millisecond)
			return c.Text("in the end")
		})
		app.Command(retort.Command{
			Name: "fail", Run: func(context.Context, *retort.Invocation) error {
				return &retort.ExitError{Code: 7, Err: errors.New("seven")}
			},
		})
		app.OnShutdown(func(context.Context) error { fmt.Println("shut down"); return nil })
		app.Run()
	}
}

// execute runs a command and returns what it printed to both streams.
func execute(app *retort.App, args ...string) (out, errOut string, err error) {
	var o, e bytes.Buffer
	err = app.Execute(context.Background(), args, strings.NewReader("typed in"), &o, &e)
	return o.String(), e.String(), err
}

func commandApp() *retort.App {
	cfg := quiet()
	cfg.Name = "blog"
	cfg.Assets = retort.Embed(templateFiles(nil)) // none of the folders beside this file
	app := retort.New(cfg)
	app.Get("/", text("home")).Name("home")
	app.Any("/any", text("any"))
	app.Get("/api", text("api")).Host("api.example.com")
	return app
}

func TestRoutesCommand(t *testing.T) {
	t.Parallel()
	out, _, err := execute(commandApp(), "routes")
	if err != nil || !strings.Contains(out, "home") || !strings.Contains(out, "ANY") || !strings.Contains(out, "api.example.com") || !strings.Contains(out, "commands_test.go:") {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(out, "\x1b") {
		t.Error("colours without a terminal")
	}
	raw, errOut, err := execute(commandApp(), "routes", "--json")
	var rows []map[string]any
	if jsonErr := json.Unmarshal([]byte(raw), &rows); jsonErr != nil || err != nil || errOut != "" || len(rows) != 3 {
		t.Fatalf("%v, %v, %q\n%s", jsonErr, err, errOut, raw)
	}
	if rows[0]["pattern"] != "/" || rows[0]["name"] != "home" || fmt.Sprint(rows[0]["methods"]) == "" || rows[0]["where"] == nil {
		t.Errorf("row %v", rows[0])
	}
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(nil))
	empty, _, err := execute(retort.New(cfg), "routes", "--json")
	if strings.TrimSpace(empty) != "[]" || err != nil {
		t.Errorf("no routes: %q, %v", empty, err)
	}
}

func TestCheckCommand(t *testing.T) {
	t.Parallel()
	app := commandApp()
	app.Check(func(_ context.Context, _ *retort.App, deploy bool) []retort.Finding {
		if deploy {
			return []retort.Finding{{ID: "own.level", Level: retort.LevelError, Message: "too slow", Hint: "hurry"}}
		}
		return nil
	})
	out, _, err := execute(app, "check")
	if err != nil || out != "No problems found.\n" {
		t.Errorf("%v %q", err, out)
	}
	out, _, err = execute(app, "check", "--json")
	if err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("%v %q", err, out)
	}
	out, errOut, err := execute(app, "check", "--deploy")
	var exit *retort.ExitError
	if !errors.As(err, &exit) || exit.Code != retort.ExitChecksFailed || errOut != "" ||
		!strings.Contains(out, "error: too slow (own.level)\n    hurry\n") || !strings.Contains(out, "retort.hosts") || !strings.Contains(out, "retort.tls") {
		t.Errorf("%v %q\n%s", err, errOut, out)
	}

	broken := commandApp()
	broken.Get("/", text("again"))
	out, _, err = execute(broken, "check", "--json")
	var found []retort.Finding
	if jsonErr := json.Unmarshal([]byte(out), &found); jsonErr != nil || err == nil || len(found) == 0 || found[0].ID != "retort.start" {
		t.Errorf("%v, %v\n%s", jsonErr, err, out)
	}
}

func TestCheckFindsBrokenTemplatesAndStyles(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/bad.html": "line one\n{% if %}", "templates/good.html": "x", "static/site.css": "a{background:url(missing.png)}",
	}))
	out, _, err := execute(retort.New(cfg), "check")
	if err == nil || !strings.Contains(out, "bad.html") || strings.Contains(out, "good.html") || !strings.Contains(out, "missing.png") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCheckCompilesTemplatesOfBlueprints: also where the app itself has none.
func TestCheckCompilesTemplatesOfBlueprints(t *testing.T) {
	t.Parallel()
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{
		Assets: retort.Embed(templateFiles(map[string]string{"templates/bad.html": "{% if %}"})),
	})
	outer := retort.NewBlueprint("outer")
	outer.Register(inner)
	app := retort.New(quiet())
	app.Register(outer)
	if out, _, err := execute(app, "check"); err == nil || !strings.Contains(out, "inner/bad.html") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCheckComparesTemplatesWithTheirData(t *testing.T) {
	t.Parallel()
	type post struct{ Title string }
	type list struct{ Posts []*post }
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/list.html":  "{% for p in posts %}\n{{ p.titel }}{% endfor %}{{ request.pth }}{{ uurl('x') }}{{ site.anything }}",
		"templates/other.html": "{% for p in posts %}{{ p.titel }}{% endfor %}",
		"templates/odd.html":   "<a href={{ x }}y>",
	}))
	app := retort.New(cfg)
	app.TemplateGlobal("site", map[string]any{})
	app.TemplateData("list.html", list{})
	out, _, err := execute(app, "check")
	want := `error: list.html:2:4: 'retort_test.post' has no attribute 'titel'; did you mean 'title'? (retort.template)
error: list.html:2:29: 'retort.requestView' has no attribute 'pth'; did you mean 'path'? (retort.template)
error: odd.html:1:16: put quotes around the attribute's value: text directly behind a printed value without them can end up outside of it (retort.template)
warning: list.html:2:46: nothing is known of a variable 'uurl'; did you mean 'url'? (retort.template)
`
	if err == nil || !strings.HasPrefix(out, want) {
		t.Errorf("%v\n%s\n%s", err, out, want)
	}
}

func TestVersionCommand(t *testing.T) {
	t.Parallel()
	out, _, err := execute(commandApp(), "version")
	if err != nil || !strings.HasPrefix(out, "blog") || !strings.Contains(out, "retort "+retort.Version) || !strings.Contains(out, "go1.") {
		t.Errorf("%v %q", err, out)
	}
	raw, _, _ := execute(commandApp(), "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(raw), &v); err != nil || v["retort"] != retort.Version || v["program"] != "blog" {
		t.Errorf("%v %s", err, raw)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	app := commandApp()
	app.Command(retort.Command{Name: "greet", Args: "NAME", Short: "Greet someone", Group: "Own", Examples: "blog greet Ada", Run: func(context.Context, *retort.Invocation) error { return nil }})
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		out, _, err := execute(app, args...)
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		for _, want := range []string{"serve", "routes", "check", "config", "version", "Own:", "greet", "Greet someone"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q lacks %q:\n%s", args, want, out)
			}
		}
	}
	out, _, err := execute(app, "help", "greet")
	if err != nil || !strings.Contains(out, "greet NAME") || !strings.Contains(out, "blog greet Ada") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"rotes"}, "did you mean routes?"},
		{[]string{"migrat"}, `there is no command "migrat"`},
		{[]string{"routes", "--jsn"}, "unknown flag: --jsn"},
		{[]string{"routes", "extra"}, "routes takes no arguments, but was given extra"},
		{[]string{"serve", "--addr"}, "flag needs an argument"},
		{[]string{"serve", "--debug=perhaps"}, "perhaps"},
	} {
		out, errOut, err := execute(commandApp(), test.args...)
		if err == nil || out != "" || !strings.HasPrefix(errOut, "blog: ") || !strings.Contains(errOut, test.want) || !strings.Contains(errOut, "Run 'blog help'") {
			t.Errorf("%q: %v, %q\n%s", test.args, err, out, errOut)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	app := commandApp()
	app.Command(retort.Command{
		Name: "greet", Args: "NAME", Run: func(context.Context, *retort.Invocation) error { return nil },
		Complete: func(_ []string, start string) []string { return []string{start + "da", start + "lan"} },
	})
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, _, err := execute(app, "completion", shell); err != nil || !strings.Contains(out, "blog") {
			t.Errorf("%s: %v", shell, err)
		}
	}
	out, _, err := execute(app, "__complete", "greet", "A")
	if err != nil || !strings.Contains(out, "Ada\nAlan\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, _ = execute(app, "__complete", "ro"); !strings.Contains(out, "routes") {
		t.Errorf("commands: %s", out)
	}
}

func TestOwnCommands(t *testing.T) {
	t.Parallel()
	type key struct{}
	app := commandApp()
	app.ExtendContext(func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "database") })
	started := false
	app.OnStartup(func(context.Context) error { started = true; return nil })
	var loud bool
	app.Command(
		retort.Command{
			Name: "greet", Args: "NAME", JSON: true,
			Flags: func(fs *flag.FlagSet) { fs.BoolVar(&loud, "loud", false, "shout") },
			Run: func(ctx context.Context, in *retort.Invocation) error {
				if len(in.Args) != 1 {
					return retort.UsageError("greet wants one name, not %d", len(in.Args))
				}
				typed, err := io.ReadAll(in.In)
				if in.JSON {
					return in.WriteJSON(map[string]any{"name": in.Args[0], "loud": loud})
				}
				fmt.Fprint(in.Out, "Hello ", in.Args[0], " ", loud, " ", string(typed), " ", ctx.Value(key{}), " ", started, in.App == app)
				return err
			},
		},
		retort.Command{Name: "users", Short: "Users", Commands: []retort.Command{
			{Name: "list", Run: func(_ context.Context, in *retort.Invocation) error { fmt.Fprint(in.Out, "Ada"); return nil }},
		}},
		retort.Command{Name: "fail", WithoutApp: true, Run: func(context.Context, *retort.Invocation) error { return errors.New("it failed") }},
		retort.Command{Name: "code", Run: func(context.Context, *retort.Invocation) error { return &retort.ExitError{Code: 4} }},
	)
	if _, errOut, err := execute(app, "fail"); err == nil || errOut != "blog: it failed\n" || started {
		t.Errorf("fail: %v %q, started %v", err, errOut, started)
	}
	if out, _, err := execute(app, "greet", "Ada", "--loud"); err != nil || out != "Hello Ada true typed in database true true" {
		t.Errorf("greet: %v %q", err, out)
	}
	if out, _, err := execute(app, "greet", "--json", "Ada"); err != nil || !strings.Contains(out, `"name": "Ada"`) {
		t.Errorf("greet --json: %v %q", err, out)
	}
	if _, errOut, err := execute(app, "greet"); err == nil || !strings.Contains(errOut, "greet wants one name, not 0\nRun 'blog help'") {
		t.Errorf("greet: %v %q", err, errOut)
	}
	if out, err := app.Call(context.Background(), "users", "list"); err != nil || out != "Ada" {
		t.Errorf("users list: %v %q", err, out)
	}
	if out, errOut, err := execute(app, "code"); err == nil || out+errOut != "" {
		t.Errorf("code: %v %q %q", err, out, errOut)
	}
	for name, register := range map[string]func(){
		"two commands are named users": func() { app.Command(retort.Command{Name: "users", Commands: []retort.Command{{}}}) },
		"needs a Name and Run":         func() { app.Command(retort.Command{Name: "x"}) },
	} {
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, name) {
					t.Errorf("panic %s", v)
				}
			}()
			register()
		}()
	}
}

func TestServeFlagsDecideOverTheConfiguration(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Addr = "256.0.0.1:1" // cannot be listened on
	app := retort.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	app.OnReady(func(addr net.Addr) {
		if c := app.Config(); !c.Debug || !c.AccessLog || !strings.HasPrefix(addr.String(), "127.0.0.1:") {
			t.Errorf("served on %s with debug %v", addr, c.Debug)
		}
		cancel()
	})
	var out bytes.Buffer
	if err := app.Execute(ctx, []string{"--addr", "127.0.0.1:0", "--debug"}, strings.NewReader(""), &out, &out); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	if !strings.Contains(out.String(), "http://127.0.0.1:") || !strings.Contains(out.String(), "never for the web") {
		t.Errorf("announced: %s", &out)
	}
	if _, errOut, err := execute(app, "serve", "--debug"); err == nil || !strings.Contains(errOut, "RETORT_DEBUG") {
		t.Errorf("after the start: %v %s", err, errOut)
	}
}

func TestServeDrainsOnSIGTERM(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "RETORT_TEST_PROGRAM=slow", "RETORT_ADDR=", "PORT=")
	out, log := &logBuffer{}, &logBuffer{}
	cmd.Stdout, cmd.Stderr = out, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	log.eventually(t, "address=http://", 1)
	_, rest, _ := strings.Cut(log.String(), "address=")
	address := strings.Fields(rest)[0]

	res, err := http.Get(address + "readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("readyz: %d", res.StatusCode)
	}
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 4)
	var begun atomic.Int32
	for range 4 {
		go func() {
			begun.Add(1)
			res, err := http.Get(address + "slow")
			if err != nil {
				answers <- answer{0, err}
				return
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if string(body) != "in the end" {
				err = fmt.Errorf("body %q, %w", body, err)
			}
			answers <- answer{res.StatusCode, err}
		}()
	}
	for begun.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if a := <-answers; a.status != 200 || a.err != nil {
			t.Errorf("a request was lost: %d, %v", a.status, a.err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, log)
	}
	if !strings.Contains(out.String(), "shut down") {
		t.Errorf("the shutdown hook did not run: %s", out)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0}, {[]string{"fail"}, 7}, {[]string{"nothing"}, 2}, {[]string{"check", "--deploy"}, 3}, {[]string{"serve", "--addr", "nowhere.invalid:x"}, 1},
	} {
		cmd := exec.Command(self, test.args...)
		cmd.Env = append(os.Environ(), "RETORT_TEST_PROGRAM=slow", "SECRET_KEY=")
		out, err := cmd.Output()
		if started := test.want == 7 || test.want == 1; strings.Contains(string(out), "shut down") != started {
			t.Errorf("%q: started %v, but printed %q", test.args, started, out)
		}
		if got := cmd.ProcessState.ExitCode(); got != test.want {
			t.Errorf("%q: exit code %d, want %d (%v)", test.args, got, test.want, err)
		}
	}
}
