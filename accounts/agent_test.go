package accounts_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/accounts"
)

func TestProgram(t *testing.T) {
	t.Parallel()
	const webkit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0":                                                                                      "Firefox on Linux",
		"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0":                                                                                        "Firefox on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/143.0 Mobile/15E148 Safari/604.1":                      "Firefox on iPhone",
		"Mozilla/5.0 (Linux; Android 10; K) " + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36":                                                                      "Chrome on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                                       "Chrome on ChromeOS",
		"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.7339.101 Mobile/15E148 Safari/604.1":                      "Chrome on iPad",
		"Mozilla/5.0 (X11; Linux x86_64) " + webkit + "HeadlessChrome/140.0.0.0 Safari/537.36":                                                                        "Headless Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                                                        "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) " + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0":                                                       "Edge on Android",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit + "Chrome/140.0.0.0 Safari/537.36 OPR/122.0.0.0":                                                        "Opera on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) " + webkit + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":                                                  "Samsung Internet on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":                                       "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1":                     "Safari on iPhone",
		"Mozilla/5.0 (X11; FreeBSD amd64; rv:143.0) Gecko/20100101 Firefox/143.0":                                                                                     "Firefox on FreeBSD",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                                                                                       "Internet Explorer on Windows",
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)":                                                                                                          "Internet Explorer on Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15 Epiphany/48.3":                                         "GNOME Web on Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Slack/4.45.69 Electron/37.2 Thing (a (nested) one) Chrome-like/1.0": "Slack on macOS",

		"curl/8.5.0":                               "curl",
		"Wget/1.25.0 (linux-gnu)":                  "Wget on Linux",
		"python-requests/2.32.5":                   "python-requests",
		"MyNotes/1.2 CFNetwork/1410 Darwin/22.6.0": "MyNotes",
		"Go-http-client/1.1":                       "Go-http-client",
		"Mozilla/5.0":                              "Mozilla",
		"Mozilla/5.0 (X11; Linux x86_64)":          "Mozilla on Linux",
		"Chrome":                                   "Chrome",
		"Edgy/1.0":                                 "Edgy", // no browser by a part of a word
		"(Windows":                                 " on Windows",
		")) /1.0 x":                                "))",
		"":                                         "",
		"  /  ":                                    "",
		"(((":                                      "",
		"<script>alert(1)</script>/1.0 x/2":        "<script>alert",
	} {
		browser, system := accounts.Program(agent)
		got := browser
		if system != "" {
			got += " on " + system
		}
		if got != want {
			t.Errorf("%s\n is %q, not %q", agent, got, want)
		}
	}
}

func FuzzProgram(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0")
	f.Add("a/(b(c)d)e) f/1 \xff(")
	f.Fuzz(func(t *testing.T, agent string) {
		browser, _ := accounts.Program(agent)
		if len(browser) > max(len(agent), len("Internet Explorer")) {
			t.Errorf("%q is %q", agent, browser)
		}
		if fields := strings.Fields(agent); len(fields) > 0 && !strings.ContainsAny(agent, "()/") && browser == "" {
			t.Errorf("%q is nothing", agent)
		}
	})
}
