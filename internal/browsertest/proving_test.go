package browsertest

import (
	"bufio"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long what should happen may take, on a slow and busy machine.
const patience = 60 * time.Second

// TestProvingInABrowser is the way of a new user through the proving ground.
func TestProvingInABrowser(t *testing.T) {
	s := startProving(t)
	b := open(t)
	const email, password, name = "new@example.com", "a chair of ash and oak", "Nell New"

	b.visit(s.base + "/signup")
	b.fill("name", name, "email", email, "password", password)
	b.submit("main form button")
	b.sees("Look into your mail")

	b.visit(s.mailed(email, regexp.MustCompile(`http://[^\s]+/verify/[^\s]+`)))
	b.sees("You signed up as " + email)
	b.fill("password", password)
	b.submit("main form button")
	b.at(s.base + "/")
	b.sees(name)

	// Out and in again, by hand.
	b.visit(s.base + "/profile")
	b.submit(`form[action="/logout"] button`)
	b.at(s.base + "/")
	b.sees("Log in")
	b.visit(s.base + "/notes")
	b.at(s.base + "/login?next=%2Fnotes")
	b.fill("email", strings.ToUpper(email), "password", password)
	b.submit("main form button")
	b.at(s.base + "/notes")
	b.sees("There are none yet.")

	b.visit(s.base + "/posts/1")
	b.fill("name", name, "url", "https://nell.example/", "text", "A comment <b>from</b> a browser.")
	b.submit("main form:last-of-type button")
	b.at(s.base + "/posts/1")
	b.sees("Thank you for your comment.", "A comment <b>from</b> a browser.")

	b.visit(s.base + "/notes/new")
	b.fill("title", "A note from a browser", "text", "Mine alone.")
	b.submit("main form button")
	b.sees("A note from a browser", "Mine alone.")
	b.visit(s.base + "/notes")
	b.sees("A note from a browser")

	file := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(file, []byte("Dear reader"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.visit(s.base + "/files")
	b.do("choose the file", chromedp.SetUploadFiles(`main input[type=file]`, []string{file}, chromedp.ByQuery))
	b.submit("main form button")
	b.at(s.base + "/files")
	b.sees("letter.txt")

	b.visit(s.base + "/profile")
	b.submit(`form[action="/logout"] button`)
	b.at(s.base + "/")
	b.visit(s.base + "/files")
	b.at(s.base + "/login?next=%2Ffiles")
	b.visit(s.base + "/whoami")
	b.sees(`"user":null`)
}

// proving is the program, running.
type proving struct {
	t     *testing.T
	base  string
	mails string
}

var serving = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startProving builds and runs the program on a port of the system's choice.
func startProving(t *testing.T) *proving {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "proving")
	build := exec.Command("go", "build", "-o", program, "./examples/proving")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mails := filepath.Join(dir, "mails")
	cmd := exec.Command(program, "--reset", "--folder", filepath.Join(dir, "data"), "--mails", mails)
	cmd.Dir = dir
	// Links in mails are only made for known hosts; the port is not known before.
	cmd.Env = append(os.Environ(), "DATABASE_URL=", "RETORT_ADDR=127.0.0.1:0", "RETORT_HOSTS=127.0.0.1", "SECRET_KEY=a key of this test only, and of no other")
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
	s := &proving{t: t, mails: mails}
	select {
	case s.base = <-address:
	case <-ended:
		t.Fatal("the site ended")
	case <-time.After(patience):
		t.Fatal("the site does not serve")
	}
	return s
}

// mailed waits for a mail to an address that has a link, and returns the link.
func (s *proving) mailed(to string, link *regexp.Regexp) string {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		names, err := filepath.Glob(filepath.Join(s.mails, "*.eml"))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				s.t.Fatal(err)
			}
			text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(data))
			if found := link.FindString(text); found != "" && strings.Contains(text, to) {
				return found
			}
		}
	}
	s.t.Fatalf("no mail to %s with %s", to, link)
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

func (b *tab) visit(address string) {
	b.t.Helper()
	if _, err := url.Parse(address); err != nil {
		b.t.Fatal(err)
	}
	b.do("visit "+address, chromedp.Navigate(address))
}

// fill types into fields: a name and a value each.
func (b *tab) fill(pairs ...string) {
	b.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		field := `main form [name="` + pairs[i] + `"]`
		b.do("fill "+field, chromedp.WaitVisible(field, chromedp.ByQuery), chromedp.SendKeys(field, pairs[i+1], chromedp.ByQuery))
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
	b.do("wait for "+address, chromedp.Poll(`location.href.split('#')[0] === `+quoted(address), nil, chromedp.WithPollingTimeout(patience)))
}

// sees waits until the page shows texts.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.do("wait for the text "+text, chromedp.Poll(`document.body && document.body.innerText.includes(`+quoted(text)+`)`, nil, chromedp.WithPollingTimeout(patience)))
	}
}

// quoted is a text as JavaScript writes it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + "'"
}
