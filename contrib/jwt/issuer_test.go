package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
)

// issuer is another that makes tokens and publishes its keys.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	extra []any // further keys of the set
	down  bool
	pad   int
	asked int
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked++
		if i.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		list := append([]any{}, i.extra...)
		for _, k := range i.keys {
			list = append(list, k.Public())
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": list, "pad": strings.Repeat("x", i.pad)})
	}))
	t.Cleanup(i.Close)
	i.set(func() { i.keys = []jose.JSONWebKey{{KeyID: "one", Key: ecKey(t)}} })
	return i
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func (i *issuer) options() Issuer {
	return Issuer{
		Issuer: "https://sso.example.com", Audience: "notes-api", Keys: KeysAt(i.URL), User: ByVerifiedEmail,
		Scopes: map[string][]auth.Permission{"print": {"notes.print"}, "all": {"notes.print", "notes.burn"}},
	}
}

// token makes one of the issuer, with claims in place of the right ones.
func (i *issuer) token(now time.Time, kid string, method jwt.SigningMethod, key crypto.PrivateKey, change map[string]any) string {
	i.t.Helper()
	claims := jwt.MapClaims{
		"iss": "https://sso.example.com", "aud": []string{"other", "notes-api"}, "sub": "7", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
		"email": "ann@example.com", "email_verified": true, "scope": "openid print",
	}
	for k, v := range change {
		if claims[k] = v; v == nil {
			delete(claims, k)
		}
	}
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func (i *issuer) right(s *site) string {
	return i.token(s.clock.Now(), i.keys[0].KeyID, jwt.SigningMethodES256, i.keys[0].Key, nil)
}

func TestTokensOfAnIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	s := newSite(t, Options{Issuers: []Issuer{i.options()}})
	ann := s.user("ann@example.com", "notes.print", "notes.burn")
	s.call("/api/print", i.right(s)).Status(200).Contains("ok ann@example.com")
	key := i.keys[0].Key
	token := func(change map[string]any) string {
		return i.token(s.clock.Now(), "one", jwt.SigningMethodES256, key, change)
	}
	for name, test := range map[string]struct {
		change map[string]any
		status int
	}{
		"scp as a list":             {map[string]any{"scope": nil, "scp": []string{"x", "all"}}, 200},
		"scp as a text":             {map[string]any{"scope": nil, "scp": "print"}, 200},
		"a permission by name":      {map[string]any{"scope": "notes.print"}, 403},
		"all scopes":                {map[string]any{"scope": "*"}, 403},
		"no scope":                  {map[string]any{"scope": nil}, 403},
		"scopes of another art":     {map[string]any{"scope": map[string]any{"print": true}}, 403},
		"one audience":              {map[string]any{"aud": "notes-api"}, 200},
		"another audience":          {map[string]any{"aud": "other"}, 401},
		"address not verified":      {map[string]any{"email_verified": false}, 401},
		"address verified in words": {map[string]any{"email_verified": "true"}, 401},
		"no address":                {map[string]any{"email": nil}, 401},
		"nobody":                    {map[string]any{"email": "eve@example.com"}, 401},
		"another issuer":            {map[string]any{"iss": "https://evil.example"}, 401},
		"the site itself":           {map[string]any{"iss": "https://notes.example"}, 401},
	} {
		if r := s.call("/api/print", token(test.change)); r.Code != test.status {
			t.Errorf("%s: %d %s", name, r.Code, r.Text())
		}
	}
	ann.Verified = nil
	s.Update(ann, &auth.Users.Fields().Verified)
	s.refused(token(nil))
	s.user("bob@example.com")
	bob := token(map[string]any{"email": "bob@example.com"})
	s.call("/api/who", bob).Status(200)
	gone, err := auth.Find(s.Ctx, "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	gone.Active = false
	s.Update(gone, &auth.Users.Fields().Active)
	s.refused(bob)
	if n := i.count(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

// The algorithm is the key's, whatever the token says.
func TestSecurityEachKeyHasOneAlgorithm(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := map[string]any{"kty": "RSA", "kid": "weak", "n": "xjlCRBqkQPtNd1hSVTBiNrUl-pC9DCJ5MqGFpA1Fb8Y", "e": "AQAB"}
	shared := map[string]any{"kty": "oct", "kid": "shared", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
	encryption := jose.JSONWebKey{KeyID: "encryption", Key: ecKey(t).Public(), Use: "enc"}
	i.set(func() {
		i.keys = []jose.JSONWebKey{{KeyID: "rsa", Key: big}, {KeyID: "pss", Key: big, Algorithm: "PS256"}, {KeyID: "ed", Key: ed}, {KeyID: "bad", Key: big, Algorithm: "ES256"}}
		i.extra = []any{weak, shared, encryption, "no key", map[string]any{"kty": "new"}}
	})
	s := newSite(t, Options{Issuers: []Issuer{i.options()}})
	s.user("ann@example.com")
	now := s.clock.Now()
	for _, right := range []string{
		i.token(now, "rsa", jwt.SigningMethodRS256, big, nil), i.token(now, "pss", jwt.SigningMethodPS256, big, nil), i.token(now, "ed", jwt.SigningMethodEdDSA, ed, nil),
	} {
		s.call("/api/who", right).Status(200)
	}
	modulus := big.PublicKey.N.Bytes()
	for _, wrong := range []string{
		i.token(now, "rsa", jwt.SigningMethodPS256, big, nil), i.token(now, "rsa", jwt.SigningMethodRS512, big, nil), i.token(now, "pss", jwt.SigningMethodRS256, big, nil),
		i.token(now, "bad", jwt.SigningMethodRS256, big, nil), i.token(now, "ed", jwt.SigningMethodRS256, big, nil), i.token(now, "rsa", jwt.SigningMethodHS256, modulus, nil),
		i.token(now, "shared", jwt.SigningMethodHS256, []byte("secretsecretsecretsecretsecret"), nil), i.token(now, "", jwt.SigningMethodRS256, big, nil),
		i.token(now, "weak", jwt.SigningMethodRS256, big, nil), i.token(now, "rsa", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
	} {
		s.refused(wrong)
	}
}

func TestKeysOfAnIssuerRotate(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	s := newSite(t, Options{Issuers: []Issuer{i.options()}})
	s.user("ann@example.com")
	first := i.right(s)
	s.call("/api/who", first).Status(200)
	i.set(func() { i.keys = append([]jose.JSONWebKey{{KeyID: "two", Key: ecKey(t)}}, i.keys...) })
	second := i.right(s)
	// Not more often than twice a minute, however many keys strangers name.
	for range 20 {
		s.refused(second)
	}
	if n := i.count(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
	s.clock.Add(keysRest + time.Second)
	s.call("/api/who", second).Status(200)
	s.call("/api/who", first).Status(200)
	// One that is taken back ends within the hour.
	i.set(func() { i.keys = i.keys[:1] })
	s.clock.Add(keysAge + time.Second)
	old := i.token(s.clock.Now(), "two", jwt.SigningMethodES256, i.keys[0].Key, nil)
	before := i.count()
	s.call("/api/who", old).Status(200) // renewed in the background
	deadline := time.Now().Add(time.Minute)
	for i.count() == before && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	remote, _ := s.tokens.issuers["https://sso.example.com"].Keys.(*remoteKeys)
	remote.asking <- struct{}{} // who asks has ended
	<-remote.asking
	if len(remote.keys) != 1 {
		t.Error(remote.keys)
	}
}

func TestIssuerAway(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	s := newSite(t, Options{Issuers: []Issuer{i.options()}})
	ann := s.user("ann@example.com")
	i.set(func() { i.down = true })
	for range 3 {
		if r := s.call("/api/who", i.right(s)).Status(503); r.Header().Get("Retry-After") == "" || r.Header().Get("Www-Authenticate") != "" {
			t.Error(r.Header())
		}
	}
	s.call("/api/who", s.issue(ann)).Status(200)
	if n := strings.Count(s.Log.String(), "cannot be had"); n != 1 || i.count() != 1 {
		t.Errorf("%d lines, asked %d times:\n%s", n, i.count(), s.Log)
	}
	i.set(func() { i.down = false; i.pad = 2 << 20 })
	s.clock.Add(keysRest + time.Second)
	s.call("/api/who", i.right(s)).Status(503)
	i.set(func() { i.pad = 0 })
	s.clock.Add(keysRest + time.Second)
	s.call("/api/who", i.right(s)).Status(200)
	// Later those of before are taken, for a day.
	i.set(func() { i.down = true })
	s.clock.Add(keysAge + time.Second)
	s.call("/api/who", i.right(s)).Status(200)
	s.clock.Add(keysLast)
	s.call("/api/who", i.right(s)).Status(503)
	if log := s.Log.String(); strings.Count(log, "cannot be had") > 2 || !strings.Contains(log, "can be had again") || len(log) > 20_000 {
		t.Error(log)
	}
}

func TestManyAskForTheKeysOnce(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	s := newSite(t, Options{Issuers: []Issuer{i.options()}})
	s.user("ann@example.com")
	token := i.right(s)
	const programs = 16
	codes := make(chan int, programs)
	for range programs {
		go func() { codes <- s.call("/api/who", token).Code }()
	}
	for range programs {
		if code := <-codes; code != http.StatusOK {
			t.Error(code)
		}
	}
	if n := i.count(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

func TestStaticKeysAndTypes(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	key := ecKey(t)
	o := i.options()
	o.Keys, o.Type = StaticKeys(Key{Public: key.Public()}), "at+jwt"
	s := newSite(t, Options{Issuers: []Issuer{o}})
	s.user("ann@example.com")
	s.refused(i.token(s.clock.Now(), "", jwt.SigningMethodES256, key, nil))
	for typ, status := range map[string]int{"at+jwt": 200, "application/AT+JWT": 200, "JWT": 401} {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": o.Issuer, "aud": o.Audience, "sub": "7", "exp": s.clock.Now().Add(time.Minute).Unix(), "email": "ann@example.com", "email_verified": true,
		})
		token.Header["typ"] = typ
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		s.call("/api/who", text).Status(status)
	}
	for _, bad := range []Key{{Public: []byte("secret")}, {Public: key.Public(), Algorithm: "RS256"}, {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v: no panic", bad)
				}
			}()
			StaticKeys(bad)
		}()
	}
}

func TestWrongOptionsAreToldAtTheStart(t *testing.T) {
	t.Parallel()
	right := Issuer{Issuer: "https://a.example", Audience: "x", User: ByVerifiedEmail}
	for want, o := range map[string]Options{
		"must end within a day":  {Age: 48 * time.Hour},
		"needs Issuer, Audience": {Issuers: []Issuer{{Issuer: "https://a.example"}}},
		"is no https address":    {Issuers: []Issuer{func() Issuer { i := right; i.Keys = KeysAt("http://a.example/keys"); return i }()}},
		"is there twice":         {Issuers: []Issuer{func() Issuer { i := right; i.Keys = StaticKeys(); return i }(), func() Issuer { i := right; i.Keys = StaticKeys(); return i }()}},
	} {
		app := retort.New(retort.Config{Logger: newLogger()})
		app.Install(auth.New(), New(o))
		if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
	app := retort.New(retort.Config{Logger: newLogger()})
	app.Install(New())
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "install auth.New()") {
		t.Error(err)
	}
}
