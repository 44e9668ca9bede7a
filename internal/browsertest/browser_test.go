package browsertest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long what should happen may take, on a slow and busy machine.
const patience = 60 * time.Second

// example is a program of the folder examples, running.
type example struct {
	t     *testing.T
	base  string
	mails string
}

var serving = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start builds and runs an example on a port of the system's choice, in a folder of its
// own.
func start(t *testing.T, name string, args []string, env ...string) *example {
	t.Helper()
	program := buildIn(t, "../..", "./examples/"+name)
	dir := t.TempDir()
	e := &example{t: t, mails: filepath.Join(dir, "mails")}
	// Links in mails are only made for known hosts; the port is not known before.
	environ := append(os.Environ(), "DATABASE_URL=", "RETORT_ADDR=127.0.0.1:0", "RETORT_HOSTS=127.0.0.1", "SECRET_KEY=a key of this test only, and of no other", "PROVING_MAILS="+e.mails)
	e.base = serve(t, dir, append(environ, env...), program, args...)
	return e
}

// buildIn builds a program of a module.
func buildIn(t *testing.T, module, path string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", program, path)
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// runOnce runs a command of a program to its end.
func runOnce(t *testing.T, dir string, environ []string, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// serve runs a program, which logs where it serves, and returns that address.
func serve(t *testing.T, dir string, environ []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, environ
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	var log strings.Builder // read after ended
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if found := serving.FindString(lines.Text()); found != "" {
				select {
				case address <- found:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	select {
	case base := <-address:
		return base
	case <-ended:
		t.Fatal("the site ended")
	case <-time.After(patience):
		t.Fatal("the site does not serve")
	}
	return ""
}

// mailed waits for a mail to an address that has a link, and returns the link.
func (e *example) mailed(to string, link *regexp.Regexp) string {
	e.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		names, err := filepath.Glob(filepath.Join(e.mails, "*.eml"))
		if err != nil {
			e.t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				e.t.Fatal(err)
			}
			text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(data))
			if found := link.FindString(text); found != "" && strings.Contains(text, to) {
				return found
			}
		}
	}
	e.t.Fatalf("no mail to %s with %s", to, link)
	return ""
}

// tab is a browser with one page open.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open starts a browser. CHROMIUM names it; default: what chromedp finds.
func open(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(2*patience))
	if path := os.Getenv("CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	// The first call starts the browser, which must outlive any deadline of a step.
	if err := chromedp.Run(ctx, network.Enable()); err != nil {
		t.Fatal(err)
	}
	return b
}

// do runs actions within the time that any of them may take.
func (b *tab) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.state())
	}
}

// state is what the page shows now, for messages.
func (b *tab) state() string {
	var address, text string
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Location(&address), chromedp.Evaluate(`document.body.innerText`, &text)); err != nil {
		return err.Error()
	}
	return address + "\n" + text
}

// visit opens an address. A page that leads on by itself, as a login with a passkey
// does, may abort its own loading: what is there in the end is for the test to say.
func (b *tab) visit(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Navigate(address)); err != nil && !strings.Contains(err.Error(), "net::ERR_ABORTED") {
		b.t.Fatalf("visit %s: %v\n%s", address, err, b.state())
	}
}

// fill types into fields, in place of what they have: a name and a value each.
func (b *tab) fill(pairs ...string) {
	b.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		field := `main form [name="` + pairs[i] + `"]`
		b.do("fill "+field, chromedp.WaitVisible(field, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector(`+quoted(field)+`).value = ''`, nil), chromedp.SendKeys(field, pairs[i+1], chromedp.ByQuery))
	}
}

// submit presses a button and waits for the page that it leads to.
func (b *tab) submit(button string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(button, chromedp.ByQuery)); err != nil {
		b.t.Fatalf("press %s: %v\n%s", button, err, b.state())
	}
}

// at waits until the page has an address.
func (b *tab) at(address string) {
	b.t.Helper()
	b.until("wait for "+address, `location.href.split('#')[0] === `+quoted(address))
}

// sees waits until the page shows texts.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until("wait for the text "+text, `Boolean(document.body && document.body.innerText.includes(`+quoted(text)+`))`)
	}
}

// until waits until an expression is true. Pages may come and go meanwhile.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		ok := false
		ctx, cancel := context.WithDeadline(b.ctx, deadline)
		err := chromedp.Run(ctx, chromedp.Evaluate(expression, &ok))
		cancel()
		if err == nil && ok {
			return
		}
	}
	b.t.Fatalf("%s\n%s", what, b.state())
}

// quoted is a text as JavaScript writes it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + "'"
}

// press submits the form that a button of this text is in.
func (b *tab) press(text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(`//button[normalize-space()=`+quoted(text)+`]`, chromedp.BySearch)); err != nil {
		b.t.Fatalf("press %s: %v\n%s", text, err, b.state())
	}
}

// follow follows the link of this text.
func (b *tab) follow(text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(`//a[normalize-space()=`+quoted(text)+`]`, chromedp.BySearch)); err != nil {
		b.t.Fatalf("follow %s: %v\n%s", text, err, b.state())
	}
}

// lacks fails if the page shows one of the texts.
func (b *tab) lacks(texts ...string) {
	b.t.Helper()
	shown := b.state()
	for _, text := range texts {
		if strings.Contains(shown, text) {
			b.t.Errorf("the page has %q:\n%s", text, shown)
		}
	}
}

// text is what an element shows.
func (b *tab) text(selector string) (text string) {
	b.t.Helper()
	b.do("read "+selector, chromedp.Text(selector, &text, chromedp.ByQuery))
	return strings.TrimSpace(text)
}

// other opens another browser, of somebody else.
func (b *tab) other() *tab {
	b.t.Helper()
	return open(b.t)
}

// saved follows a link to a download and returns what the browser has written.
func (b *tab) saved(link string) (name, content string) {
	b.t.Helper()
	dir := b.t.TempDir()
	begun, done := make(chan string, 1), make(chan struct{}, 1)
	listening, stop := context.WithCancel(b.ctx)
	defer stop()
	chromedp.ListenTarget(listening, func(event any) {
		switch e := event.(type) {
		case *browser.EventDownloadWillBegin:
			begun <- e.SuggestedFilename
		case *browser.EventDownloadProgress:
			if e.State == browser.DownloadProgressStateCompleted {
				done <- struct{}{}
			}
		}
	})
	b.do("download "+link,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir).WithEventsEnabled(true),
		chromedp.Click(`//a[normalize-space()=`+quoted(link)+`]`, chromedp.BySearch))
	for range 2 {
		select {
		case name = <-begun:
		case <-done:
		case <-time.After(patience):
			b.t.Fatalf("%s is not downloaded\n%s", link, b.state())
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return name, string(data)
}

// choose picks an option of a list by its value.
func (b *tab) choose(name, value string) {
	b.t.Helper()
	b.do("choose "+value, chromedp.SetValue(`main form [name="`+name+`"]`, value, chromedp.ByQuery))
}
