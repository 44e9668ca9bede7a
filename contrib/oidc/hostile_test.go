package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testsite"
)

// nobodyCameIn fails the test if somebody has logged in or got an account.
func (s *site) nobodyCameIn() {
	s.T.Helper()
	s.Get("/").Contains("home of nobody")
	if n, err := auth.Users.Count(s.Ctx); n != 0 || err != nil {
		s.T.Error(n, err)
	}
}

// CVE class "tokens": what a token says counts only if all of it is right.
func TestSecurityIDTokens(t *testing.T) {
	t.Parallel()
	now := time.Now()
	claim := func(name string, value any) func(*fake) { return func(f *fake) { f.claims[name] = value } }
	tests := map[string]func(f *fake){
		"another nonce":          claim("nonce", "of another login"),
		"no nonce":               claim("nonce", nil),
		"another issuer":         claim("iss", "https://evil.example"),
		"another audience":       claim("aud", "another-site"),
		"no audience":            claim("aud", nil),
		"several, no party":      claim("aud", []string{"site-at-one", "another-site"}),
		"another party":          claim("azp", "another-site"),
		"expired":                claim("exp", now.Add(-time.Minute).Unix()),
		"never expires":          claim("exp", nil),
		"not yet":                claim("nbf", now.Add(time.Hour).Unix()),
		"of tomorrow":            claim("iat", now.Add(24*time.Hour).Unix()),
		"hash of another access": claim("at_hash", base64.RawURLEncoding.EncodeToString(make([]byte, 16))),
		"no subject":             claim("sub", ""),
		"a long subject":         claim("sub", strings.Repeat("s", 256)),
		"a subject with NUL":     claim("sub", "subject\x00"),
		"no token":               func(f *fake) { f.idToken = func(map[string]any) string { return "" } },
		"dots":                   func(f *fake) { f.idToken = func(map[string]any) string { return strings.Repeat(".", 100_000) } },
		"alg none": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				body, _ := json.Marshal(claims)
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
			}
		},
		"HS256 by the secret": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				return sign(f.t, jose.HS256, []byte(strings.Repeat("s3cret", 8)), "", claims)
			}
		},
		"HS256 by the public key": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				public, err := x509.MarshalPKIXPublicKey(f.key.Public())
				if err != nil {
					f.t.Error(err)
				}
				return sign(f.t, jose.HS256, public, f.keyID, claims)
			}
		},
		"another key of that name": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				if err != nil {
					f.t.Error(err)
				}
				return sign(f.t, jose.ES256, key, f.keyID, claims)
			}
		},
		"a key of its own": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				if err != nil {
					f.t.Error(err)
				}
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
				if err != nil {
					f.t.Error(err)
				}
				body, _ := json.Marshal(claims)
				signed, err := signer.Sign(body)
				if err != nil {
					f.t.Error(err)
				}
				text, _ := signed.CompactSerialize()
				return text
			}
		},
		"changed after signing": func(f *fake) {
			f.idToken = func(claims map[string]any) string {
				parts := strings.Split(sign(f.t, jose.ES256, f.key, f.keyID, claims), ".")
				claims["sub"] = "victim"
				body, _ := json.Marshal(claims)
				parts[1] = base64.RawURLEncoding.EncodeToString(body)
				return strings.Join(parts, ".")
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := pair(t, options{})
			change(f)
			s.through(f, begin).Status(400).Contains("You could not be logged in")
			s.nobodyCameIn()
			if got := s.Log.String(); strings.Count(got, "a login with another failed") != 1 || len(got) > 2000 || strings.Contains(got, "s3cret") {
				t.Error(got)
			}
		})
	}
}

func TestPartyOfThisSiteAmongSeveral(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	f.claims["aud"], f.claims["azp"] = []string{"another-site", "site-at-one"}, "site-at-one"
	s.through(f, begin).RedirectsTo("/")
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	for _, id := range []string{"first", "second", "third"} {
		f.set(func() { f.rotate(id) })
		s.through(f, begin).RedirectsTo("/")
		s.post("/logout")
	}
	s.through(f, begin).RedirectsTo("/")
	if n := f.count("/keys"); n != 3 {
		t.Errorf("the keys were asked for %d times", n)
	}
	if n := f.count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("discovered %d times", n)
	}
}

func TestSecurityStateWorksOnceAndInItsSession(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	query := f.visit(s.leave(begin))
	// An attacker gets a victim to come back with the attacker's code.
	victim := s.fresh()
	victim.Get(callback + query.Encode()).Status(400).Contains("This login is over")
	victim.leave(begin)
	victim.Get(callback + query.Encode()).Status(400)
	for _, state := range []string{"", "x", strings.Repeat("x", 10_000)} {
		wrong := url.Values{"state": {state}, "code": query["code"]}
		s.Get(callback + wrong.Encode()).Status(400)
	}
	victim.Get("/").Contains("home of nobody")
	s.Get(callback + query.Encode()).RedirectsTo("/")
	s.Get(callback + query.Encode()).Status(400).Contains("This login is over")
	// A wrong answer uses it up as well.
	other := s.fresh()
	query = f.visit(other.leave(begin))
	wrong := url.Values{"state": query["state"], "code": {"wrong"}}
	other.Get(callback + wrong.Encode()).Status(400).Contains("could not be logged in")
	other.Get(callback + query.Encode()).Status(400).Contains("This login is over")
	other.Get("/").Contains("home of nobody")
	if got := s.Log.String(); strings.Contains(got, "the secret of the answer") || !strings.Contains(got, "invalid_grant") {
		t.Error(got)
	}
}

func TestAttemptsEnd(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	now := testsite.NewClock()
	s.oidc.now = now.Now
	to := s.leave(begin)
	now.Add(attemptAge + time.Second)
	s.Get(callback + f.visit(to).Encode()).Status(400).Contains("This login is over")
	to = s.leave(begin)
	now.Add(-2 * attemptAge) // the clock was set
	s.Get(callback + f.visit(to).Encode()).Status(400)
	s.nobodyCameIn()
}

// A provider that is evil, or broken into, must not get codes of another.
func TestSecurityMixUp(t *testing.T) {
	t.Parallel()
	honest, evil := newFake(t), newFake(t)
	s := newSite(t, options{Options: Options{Providers: []Provider{honest.provider("one"), evil.provider("two")}}})
	// The login began with evil, which sends the visitor on to the honest one; the code
	// comes to the address of the honest one, with evil's state.
	to := s.leave("/login/with/two")
	query := honest.visit(to)
	s.Get(callback + query.Encode()).Status(400).Contains("This login is over")
	if evil.count("/token")+honest.count("/token") != 0 {
		t.Error("the code was sent")
	}
	// Or to evil's own address, with the issuer of the honest one (RFC 9207).
	for _, iss := range [][]string{{honest.URL}, {""}, {evil.URL, honest.URL}, {evil.URL + "/"}} {
		query = evil.visit(s.leave("/login/with/two"))
		query["iss"] = iss
		s.Get("/login/with/two/callback?" + query.Encode()).Status(400).Contains("could not be logged in")
	}
	if evil.count("/token") != 0 {
		t.Error("the code was sent")
	}
	query = evil.visit(s.leave("/login/with/two"))
	query.Set("iss", evil.URL)
	s.Get("/login/with/two/callback?" + query.Encode()).RedirectsTo("/")
}

func TestSecurityIssuerThatIsPromisedIsThere(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	f.metadata["authorization_response_iss_parameter_supported"] = true
	s.through(f, begin).Status(400).Contains("could not be logged in")
	query := f.visit(s.leave(begin))
	query.Set("iss", f.URL)
	s.Get(callback + query.Encode()).RedirectsTo("/")
}

// CVE class "open redirect".
func TestSecurityLoginStaysOnTheSite(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	for _, evil := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/%09/evil.example\t", "http:evil.example", "/" + strings.Repeat("x", maxNext)} {
		s.through(f, begin, "next", evil).RedirectsTo("/")
		s.through(f, begin+"?next="+url.QueryEscape(evil)).RedirectsTo("/")
	}
}

func TestSecurityLoginsOfOthersAreNotForged(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, options{})
	s.EnforceCSRF = true
	s.Header = http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	for _, path := range []string{begin, "/logins/one/connect", "/logins/1/disconnect"} {
		s.post(path).Status(403)
	}
}

func TestSecurityTheProviderAsksAnew(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	s.through(f, begin).RedirectsTo("/")
	f.claims["auth_time"] = time.Now().Add(-time.Hour).Unix()
	to := s.leave(begin)
	if to.Query().Get("max_age") != "0" {
		t.Error(to)
	}
	s.Get(callback + f.visit(to).Encode()).Status(400).Contains("could not be logged in")
	f.claims["auth_time"] = time.Now().Unix()
	s.through(f, begin).RedirectsTo("/")
}

// away reports how the site fares while the provider is away, and when it is back.
func awayAndBack(t *testing.T, s *site, f *fake, failsAt string, away, back func()) {
	t.Helper()
	now := testsite.NewClock()
	s.oidc.now = now.Now
	away()
	for range 3 {
		if failsAt == "begin" {
			s.post(begin).Status(503).Contains("Fake one does not answer").HasHeader("Retry-After", "30")
		} else {
			s.through(f, begin).Status(503).Contains("Fake one does not answer")
		}
	}
	s.Get("/login").Status(200).Contains("Log in with Fake one")
	s.nobodyCameIn()
	if n := strings.Count(s.Log.String(), "is away"); n != 1 {
		t.Errorf("%d lines that it is away:\n%s", n, s.Log)
	}
	back()
	now.Add(retryAfter + time.Second)
	s.through(f, begin).RedirectsTo("/")
	if n := strings.Count(s.Log.String(), "is back"); n != 1 {
		t.Errorf("%d lines that it is back:\n%s", n, s.Log)
	}
	if len(s.Log.String()) > 10_000 {
		t.Error(s.Log)
	}
}

func TestProviderAway(t *testing.T) {
	t.Parallel()
	giant := func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"sub": "`)
		_, _ = io.WriteString(w, strings.Repeat("x", 8<<20))
		_, _ = io.WriteString(w, `"}`)
	}
	failing := func(at string) func(f *fake) { return func(f *fake) { f.metadata[at] = "http://127.0.0.1:1/nothing" } }
	for name, test := range map[string]struct {
		at         string
		away, back func(f *fake)
	}{
		"down":   {"begin", func(f *fake) { f.down = true }, func(f *fake) { f.down = false }},
		"issuer": {"begin", func(f *fake) { f.metadata["issuer"] = "https://evil.example" }, func(f *fake) { delete(f.metadata, "issuer") }},
		"clear text": {
			"begin", func(f *fake) { f.metadata["token_endpoint"] = "http://evil.example/token" },
			func(f *fake) { delete(f.metadata, "token_endpoint") },
		},
		"giant discovery": {"begin", func(f *fake) { f.metadata["x"] = strings.Repeat("x", 2<<20) }, func(f *fake) { delete(f.metadata, "x") }},
		"giant userinfo": {"callback", func(f *fake) {
			f.metadata["userinfo_endpoint"] = f.URL + "/userinfo"
			f.claims["email"], f.userInfo = nil, giant
		}, func(f *fake) { delete(f.claims, "email") }},
		"failing token": {
			"callback", func(f *fake) {
				f.token = func(w http.ResponseWriter, _ *http.Request) bool {
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
			},
			func(f *fake) { f.token = nil },
		},
		"giant token": {
			"callback", func(f *fake) {
				f.token = func(w http.ResponseWriter, _ *http.Request) bool { giant(w); return true }
			},
			func(f *fake) { f.token = nil },
		},
		"keys gone": {"callback", failing("jwks_uri"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := pair(t, options{})
			if test.back == nil {
				test.away(f)
				s.through(f, begin).Status(503).Contains("does not answer")
				s.nobodyCameIn()
				return
			}
			awayAndBack(t, s, f, test.at, func() { f.set(func() { test.away(f) }) }, func() { f.set(func() { test.back(f) }) })
		})
	}
}

// silent takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return "http://" + l.Addr().String()
}

func TestSlowProviderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	address := silent(t)
	s := newSite(t, options{Options: Options{Timeout: 50 * time.Millisecond, Providers: []Provider{{Name: "one", Label: "Slow", Issuer: address, ClientID: "x"}}}})
	// All who come at once wait for the same.
	const visitors = 8
	codes := make(chan int, visitors)
	for range visitors {
		other := s.fresh()
		go func() { codes <- other.post(begin).Code }()
	}
	for range visitors {
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Error(code)
		}
	}
	s.Get("/").Status(200)
	if n := strings.Count(s.Log.String(), "is away"); n != 1 {
		t.Errorf("%d lines:\n%s", n, s.Log)
	}
}

// A token endpoint that has moved must not take the secret along.
func TestSecurityNoRedirectTakesTheSecretAlong(t *testing.T) {
	t.Parallel()
	var got []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, string(body)+r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	s, f := pair(t, options{})
	f.token = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		return true
	}
	s.through(f, begin).Status(400)
	thief.Close()
	if len(got) > 0 {
		t.Error(got)
	}
}

func TestDiscoveryIsRenewed(t *testing.T) {
	t.Parallel()
	s, f := pair(t, options{})
	now := testsite.NewClock()
	s.oidc.now = now.Now
	s.leave(begin)
	f.set(func() { f.metadata["authorization_endpoint"] = f.URL + "/elsewhere" })
	if to := s.leave(begin); to.Path != "/authorize" {
		t.Error(to)
	}
	now.Add(rediscover + time.Hour)
	if to := s.leave(begin); to.Path != "/elsewhere" {
		t.Error(to)
	}
	// Old is better than none.
	now.Add(rediscover + time.Hour)
	f.set(func() { f.down = true })
	if to := s.leave(begin); to.Path != "/elsewhere" {
		t.Error(to)
	}
}

func TestSecretIsSentAsTheProviderWantsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		methods []string
		basic   bool
	}{"not said": {nil, true}, "both": {[]string{"client_secret_post", "client_secret_basic"}, true}, "in the body": {[]string{"client_secret_post"}, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := pair(t, options{})
			f.metadata["token_endpoint_auth_methods_supported"] = test.methods
			var seen []bool
			f.token = func(w http.ResponseWriter, r *http.Request) bool {
				_, _, basic := r.BasicAuth()
				seen = append(seen, basic, r.FormValue("client_secret") == "s3cret")
				http.Error(w, "no", http.StatusBadRequest)
				return true
			}
			s.through(f, begin).Status(400)
			f.set(func() {
				if !slices.Equal(seen, []bool{test.basic, !test.basic}) {
					t.Error(seen)
				}
			})
		})
	}
}
