package jwt

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
)

func TestOwnTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	ann := s.user("ann@example.com", "notes.print", "notes.burn")
	plain, printing := s.issue(ann), s.issue(ann, "notes.print", "notes.delete")
	s.call("/api/who", plain).Status(200).Contains("ok ann@example.com")
	s.call("/api/print", plain).Status(403).HasHeader("Www-Authenticate", `Bearer error="insufficient_scope", scope="notes.print"`)
	s.call("/api/print", printing).Status(200)
	s.call("/api/who", "").Status(401).HasHeader("Www-Authenticate", "Bearer")
	// The scopes give nothing that the user may not do.
	bob := s.user("bob@example.com")
	s.call("/api/print", s.issue(bob, "notes.print")).Status(403)
	s.call("/api/print", s.issue(bob, auth.AllScopes)).Status(403)
	ann.Staff = true
	s.Update(ann, &auth.Users.Fields().Staff)
	s.call("/api/staff", printing).Status(403)
	s.call("/api/staff", s.issue(ann, auth.AllScopes)).Status(200)
	s.call("/api/fresh", s.issue(ann, auth.AllScopes)).Status(403)
	if _, has := s.Cookie("session"); has {
		t.Error("a token makes a session")
	}
}

func TestSecurityOwnTokensEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *site, u *auth.User){
		"another password": func(s *site, u *auth.User) {
			if err := s.Auth.SetPassword(s.Ctx, u, "another one entirely"); err != nil {
				s.T.Fatal(err)
			}
		},
		"not active": func(s *site, u *auth.User) { u.Active = false; s.Update(u, &auth.Users.Fields().Active) },
		"deleted": func(s *site, u *auth.User) {
			if err := auth.Users.DeleteRow(s.Ctx, u); err != nil {
				s.T.Fatal(err)
			}
		},
		"of a time to come": func(s *site, _ *auth.User) { s.clock.Add(-time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, Options{})
			u := s.user("ann@example.com")
			token := s.issue(u)
			s.call("/api/who", token).Status(200)
			end(s, u)
			s.refused(token)
		})
	}
	s := newSite(t, Options{Age: time.Minute})
	token := s.issue(s.user("ann@example.com"))
	s.clock.Add(time.Minute + 20*time.Second) // clocks differ
	s.call("/api/who", token).Status(200)
	s.clock.Add(20 * time.Second)
	s.call("/api/who", token).Status(401).HasHeader("Www-Authenticate", `Bearer error="invalid_token", error_description="The access token has expired"`)
}

func TestKeysRotateWithTheSecretKey(t *testing.T) {
	t.Parallel()
	path := "sqlite:" + t.TempDir() + "/site.db"
	at := func(key string, older ...string) func(*retort.Config) {
		return func(cfg *retort.Config) { cfg.DatabaseURL, cfg.SecretKey, cfg.SecretKeyFallbacks = path, key, older }
	}
	before := newSite(t, Options{}, at(oldKey))
	ann := before.user("ann@example.com")
	old := before.issue(ann)
	rotated := newSite(t, Options{}, at(newKey, oldKey))
	rotated.call("/api/who", old).Status(200)
	fresh := rotated.issue(ann)
	before.refused(fresh)
	after := newSite(t, Options{}, at(newKey))
	after.refused(old)
	after.call("/api/who", fresh).Status(200)

	// Other services verify by the public keys.
	var set jose.JSONWebKeySet
	rotated.Get("/.well-known/jwks.json").Status(200).HasHeader("Cache-Control", "public, max-age=300").Lacks(`"d"`).JSON(&set)
	if len(set.Keys) != 2 {
		t.Fatal(set)
	}
	for i, token := range []string{fresh, old} {
		signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
		if err != nil {
			t.Fatal(err)
		}
		body, err := signed.Verify(set.Keys[i])
		var claims map[string]any
		if err := errors.Join(err, json.Unmarshal(body, &claims)); err != nil || claims["iss"] != "https://notes.example" || claims["aud"] != "https://notes.example" || signed.Signatures[0].Header.KeyID != set.Keys[i].KeyID {
			t.Error(claims, err)
		}
	}
}

// CVE class "tokens": alg none, and a public key as that of an HMAC.
func TestSecurityOwnTokensAreNotForged(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	u := s.user("ann@example.com")
	token := s.issue(u)
	keys := s.tokens.ownKeys()
	public, _ := keys.public[0].Public.(ed25519.PublicKey)
	right := func() jwt.MapClaims {
		now := s.clock.Now()
		return jwt.MapClaims{
			"iss": "https://notes.example", "aud": "https://notes.example", "sub": "1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "state": s.tokens.states(u)[0],
		}
	}
	make := func(method jwt.SigningMethod, key any, header map[string]any, change map[string]any) string {
		claims := right()
		for k, v := range change {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
		forged := jwt.NewWithClaims(method, claims)
		forged.Header["typ"], forged.Header["kid"] = ownType, keys.public[0].ID
		for k, v := range header {
			forged.Header[k] = v
		}
		text, err := forged.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s.call("/api/who", make(jwt.SigningMethodEdDSA, keys.private, nil, nil)).Status(200)
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	own := func(header, change map[string]any) string {
		return make(jwt.SigningMethodEdDSA, keys.private, header, change)
	}
	parts := strings.Split(token, ".")
	for name, forged := range map[string]string{
		"none":                      make(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"the public key":            make(jwt.SigningMethodHS256, []byte(public), nil, nil),
		"another key":               make(jwt.SigningMethodEdDSA, other, nil, nil),
		"a key of its own":          make(jwt.SigningMethodEdDSA, other, map[string]any{"jwk": map[string]string{"kty": "OKP"}}, nil),
		"a key that is not":         own(map[string]any{"kid": "x"}, nil),
		"a key of no text":          own(map[string]any{"kid": 7}, map[string]any{"iss": "https://evil.example"}),
		"another type":              own(map[string]any{"typ": "JWT"}, nil),
		"what is critical":          own(map[string]any{"crit": []string{"exp"}}, nil),
		"another issuer":            own(nil, map[string]any{"iss": "https://evil.example"}),
		"no issuer":                 own(nil, map[string]any{"iss": nil}),
		"another audience":          own(nil, map[string]any{"aud": []string{"https://evil.example"}}),
		"no audience":               own(nil, map[string]any{"aud": nil}),
		"never expires":             own(nil, map[string]any{"exp": nil}),
		"expires in words":          own(nil, map[string]any{"exp": "tomorrow"}),
		"not yet":                   own(nil, map[string]any{"nbf": s.clock.Now().Add(time.Hour).Unix()}),
		"no subject":                own(nil, map[string]any{"sub": nil}),
		"no such user":              own(nil, map[string]any{"sub": "2"}),
		"no user at all":            own(nil, map[string]any{"sub": "ann@example.com"}),
		"no state":                  own(nil, map[string]any{"state": nil}),
		"changed":                   parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"2"}`)) + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"a bit more":                token + "A",
		"two parts":                 parts[0] + "." + parts[1],
		"four parts":                token + ".x",
		"no base64":                 "!." + parts[1] + "." + parts[2],
		"no JSON":                   "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{`)) + ".e30",
		"deep JSON":                 parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 5000))) + "." + parts[2],
		"nothing":                   "..",
		"long":                      own(nil, map[string]any{"x": strings.Repeat("x", maxToken)}),
		"dots":                      strings.Repeat(".", 8000),
		"more dots":                 strings.Repeat(".", 500_000),
		"an API token that is none": "rt_x",
	} {
		r := s.call("/api/who", forged)
		if r.Code != http.StatusUnauthorized || !strings.HasPrefix(r.Header().Get("Www-Authenticate"), invalidToken) {
			t.Errorf("%s: %d %s", name, r.Code, r.Header())
		}
	}
	if log := s.Log.String(); log != "" && strings.Contains(log, "access token") {
		t.Error(log)
	}
}

// golang-jwt 2025-30204: what strangers send costs nothing before it is a token.
func TestSecurityDotsAllocateNothing(t *testing.T) {
	s := newSite(t, Options{})
	ctx := t.Context()
	for _, text := range []string{strings.Repeat(".", 1_000_000), strings.Repeat(".", 5000), strings.Repeat("x", 1_000_000) + ".."} {
		if n := testing.AllocsPerRun(100, func() { _, _, _ = s.tokens.verify(ctx, text) }); n > 0 {
			t.Errorf("%d bytes: %v allocations", len(text), n)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	u := s.user("ann@example.com")
	for _, o := range []IssueOptions{{Age: 25 * time.Hour}, {Age: -1}, {Scopes: []auth.Permission{"a b"}}, {Scopes: []auth.Permission{""}}} {
		if _, _, err := s.tokens.Issue(s.Ctx, u, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	u.Active = false
	if _, _, err := s.tokens.Issue(s.Ctx, u, IssueOptions{}); !errors.Is(err, auth.ErrForbidden) {
		t.Error(err)
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	ann := s.user("ann@example.com", "notes.print", "notes.burn")
	held, row, err := s.Auth.CreateAPIToken(s.Ctx, ann, auth.APITokenOptions{Name: "printer", Scopes: []auth.Permission{"notes.print", "notes.scan"}})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	s.call("/api/token", held).Status(200).HasHeader("Cache-Control", "no-store").JSON(&answer)
	if answer.TokenType != "Bearer" || answer.ExpiresIn < 590 || answer.ExpiresIn > 600 || answer.Scope != "notes.print notes.scan" {
		t.Errorf("%+v", answer)
	}
	s.call("/api/print", answer.AccessToken).Status(200)
	s.call("/api/print", held).Status(200) // Bearer takes both
	s.call("/api/token", answer.AccessToken).Status(401)
	s.call("/api/token", "").Status(401)
	ask := func(token, scope string) *http.Request {
		r := s.NewRequest(http.MethodPost, "/api/token", strings.NewReader(url.Values{"scope": {scope}}.Encode()))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	s.Do(ask(held, "notes.scan")).Status(200).JSON(&answer)
	s.call("/api/print", answer.AccessToken).Status(403)
	for _, more := range []string{"notes.burn", "*", "notes.print notes.burn"} {
		s.Do(ask(held, more)).Status(400).Contains(`"invalid_scope"`)
	}
	all, _, err := s.Auth.CreateAPIToken(s.Ctx, ann, auth.APITokenOptions{Name: "all", Scopes: []auth.Permission{auth.AllScopes}})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(ask(all, "notes.burn")).Status(200)
	if err := s.Auth.RevokeAPIToken(s.Ctx, ann, row.ID); err != nil {
		t.Fatal(err)
	}
	s.call("/api/token", held).Status(401)
}

func TestIssuerOfASiteWithoutAnAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{Audience: "api"}, func(cfg *retort.Config) { cfg.Name, cfg.BaseURL = "notes", "" })
	token := s.issue(s.user("ann@example.com"))
	s.call("/api/who", token).Status(200)
	claims, _, err := s.tokens.verify(s.Ctx, token)
	if err != nil || claims.Issuer != "urn:retort:notes" || claims.Text("aud") != "api" || !slices.Equal(claims.Scopes, nil) || claims.Expires.IsZero() {
		t.Errorf("%+v, %v", claims, err)
	}
}
