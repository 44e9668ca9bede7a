package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// fake is a provider that does as the test says, however wrong that is.
type fake struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	key      *ecdsa.PrivateKey
	keyID    string
	claims   map[string]any // put over the right ones; nil takes one away
	metadata map[string]any // likewise
	userInfo func(w http.ResponseWriter)
	idToken  func(claims map[string]any) string // in place of a signed one
	token    func(w http.ResponseWriter, r *http.Request) bool
	down     bool
	codes    map[string]url.Values // what the visitor came with
	asked    map[string]int        // requests by path
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, claims: map[string]any{}, metadata: map[string]any{}, codes: map[string]url.Values{}, asked: map[string]int{}}
	f.rotate("first")
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// provider is the site's view of it.
func (f *fake) provider(name string) Provider {
	return Provider{Name: name, Label: "Fake " + name, Issuer: f.URL, ClientID: "site-at-" + name, ClientSecret: "s3cret"}
}

func (f *fake) rotate(id string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	f.key, f.keyID = key, id
}

// set changes the fake while it serves.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[r.URL.Path]++
	if f.down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		m := map[string]any{
			"issuer": f.URL, "authorization_endpoint": f.URL + "/authorize", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
		}
		answer(over(m, f.metadata))
	case "/keys":
		answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: f.key.Public(), KeyID: f.keyID, Algorithm: "ES256", Use: "sig"}}})
	case "/token":
		f.answerToken(w, r, answer)
	case "/userinfo":
		if f.userInfo != nil {
			f.userInfo(w)
		}
	default:
		http.NotFound(w, r)
	}
}

func (f *fake) answerToken(w http.ResponseWriter, r *http.Request, answer func(any)) {
	if f.token != nil && f.token(w, r) {
		return
	}
	_ = r.ParseForm()
	asked, ok := f.codes[r.Form.Get("code")]
	delete(f.codes, r.Form.Get("code"))
	verifier := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	id, key, _ := r.BasicAuth()
	if !ok || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(verifier[:]) ||
		asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != r.Form.Get("redirect_uri") || id != asked.Get("client_id") || key != "s3cret" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		answer(map[string]string{"error": "invalid_grant", "error_description": "the secret of the answer"})
		return
	}
	now := time.Now()
	hash := sha256.Sum256([]byte("access"))
	claims := over(map[string]any{
		"iss": f.URL, "sub": "subject-1", "aud": asked.Get("client_id"), "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nonce": asked.Get("nonce"),
		"email": "ann@example.com", "email_verified": true, "name": "Ann", "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	}, f.claims)
	make := f.idToken
	if make == nil {
		make = func(claims map[string]any) string { return sign(f.t, jose.ES256, f.key, f.keyID, claims) }
	}
	answer(map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": make(claims)})
}

// over puts values over others; nil takes one away.
func over(m, other map[string]any) map[string]any {
	out := maps.Clone(m)
	for k, v := range other {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// visit is what the provider does with a visitor who says yes: the query that they come
// back to the site with.
func (f *fake) visit(to *url.URL) url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	code := rand.Text()
	f.codes[code] = to.Query()
	return url.Values{"state": {to.Query().Get("state")}, "code": {code}}
}
