package browsertest

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// looks calls a function at both widths, light and dark each, and then makes the page
// as it was.
func (b *tab) looks(do func(width, scheme string)) {
	b.t.Helper()
	for _, width := range []struct {
		name   string
		pixels int64
	}{{"wide", 1366}, {"narrow", 390}} {
		for _, scheme := range []string{"light", "dark"} {
			b.do("look "+width.name+" and "+scheme, chromedp.EmulateViewport(width.pixels, 900),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
			do(width.name, scheme)
		}
	}
	b.do("be as before", chromedp.EmulateReset(), emulation.SetEmulatedMedia())
}

// shoot takes pictures of the page into the folder that SCREENSHOTS names, if it does.
func (b *tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.t.Fatal(err)
	}
	b.looks(func(width, scheme string) {
		var picture []byte
		b.do("take a picture", chromedp.FullScreenshot(&picture, 100))
		if err := os.WriteFile(filepath.Join(dir, name+"-"+width+"-"+scheme+".png"), picture, 0o600); err != nil {
			b.t.Fatal(err)
		}
	})
}

// accessible runs axe-core on the page where AXE names its script, and looks whether it
// scrolls sideways.
func (b *tab) accessible(name string) {
	b.t.Helper()
	file := os.Getenv("AXE")
	if file == "" {
		return
	}
	script, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	b.looks(func(width, scheme string) {
		var violations []string
		var sideways bool
		b.do("axe on "+name,
			chromedp.Evaluate(string(script)+";0", nil),
			chromedp.Evaluate(`axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" ")))`, &violations,
				func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
			chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &sideways))
		if sideways {
			violations = append(violations, "the page scrolls sideways")
		}
		for _, v := range violations {
			b.t.Errorf("%s, %s, %s: %s", name, width, scheme, v)
		}
	})
}

// mustBeQuiet fails the test at its end if a script has failed, or if a page has broken
// its own Content-Security-Policy.
func (b *tab) mustBeQuiet() {
	b.t.Helper()
	var mu sync.Mutex
	var complaints []string
	chromedp.ListenTarget(b.ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if e.Entry.Source == log.SourceSecurity {
				complaints = append(complaints, e.Entry.Text)
			}
		}
	})
	b.do("listen", log.Enable(), runtime.Enable())
	b.t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if len(complaints) > 0 {
			b.t.Errorf("the browser complains: %q", complaints)
		}
	})
}
