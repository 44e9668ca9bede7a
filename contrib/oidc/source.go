package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// maxAnswer bounds what is read of any answer of a provider.
	maxAnswer = 1 << 20
	// retryAfter is how long a provider that did not answer is not asked again.
	retryAfter = 5 * time.Second
	// rediscover is how old what was discovered may become.
	rediscover = 24 * time.Hour
)

// awayError says that a provider does not answer, or not as it must.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// source is a provider and what is known of it.
type source struct {
	Provider
	logger func() *slog.Logger
	client *http.Client
	now    func() time.Time
	asking chan struct{} // held by who discovers

	mu       sync.Mutex
	known    *discovered
	failed   time.Time // when discovery last failed
	failure  error
	isAway   bool
	awayFrom time.Time
}

// discovered is what a provider says of itself.
type discovered struct {
	authURL, tokenURL string
	style             oauth2.AuthStyle
	provider          *coreos.Provider // nil without OpenID Connect
	verifier          *coreos.IDTokenVerifier
	sendsIssuer       bool // with the code (RFC 9207)
	at                time.Time
}

func newSource(e *Extension, p Provider) *source {
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "email", "profile"}
	}
	if p.OAuth2 == nil && !slices.Contains(p.Scopes, "openid") {
		p.Scopes = append([]string{"openid"}, p.Scopes...)
	}
	local := strings.HasPrefix(p.Issuer, "http://")
	return &source{
		Provider: p, logger: e.app.Logger, now: func() time.Time { return e.now() }, asking: make(chan struct{}, 1),
		client: &http.Client{
			Timeout: e.options.Timeout, Transport: &guarded{e.options.Transport, local},
			// A token endpoint that moves must not take the secret along.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// guarded lets a provider neither be asked in clear text nor answer without end.
type guarded struct {
	base  http.RoundTripper
	local bool // the provider is on this machine
}

func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && (!g.local || !isLoopback(r.URL.Hostname())) {
		return nil, fmt.Errorf("oidc: %s is no https address", r.URL.Redacted())
	}
	res, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &bounded{res.Body, maxAnswer}
	return res, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bounded is a body of at most that many bytes more; what is longer is an error.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("oidc: the answer of the provider is too long")
	}
	return n, err
}

// context carries the client to the libraries.
func (s *source) context(ctx context.Context) context.Context {
	return coreos.ClientContext(ctx, s.client)
}

// discover returns what is known of the provider, and asks it if that is nothing or
// old. Requests that come together ask once.
func (s *source) discover(ctx context.Context) (*discovered, error) {
	if known, err, ok := s.remembered(); ok {
		return known, err
	}
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if known, err, ok := s.remembered(); ok {
		return known, err
	}
	// The client has a time limit, and who waits for the same must not be failed by a
	// visitor who leaves.
	known, err := s.ask(s.context(context.WithoutCancel(ctx)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed, s.failure = s.now(), &awayError{err}
		if s.known != nil { // old is better than none
			return s.known, nil
		}
		return nil, s.failure
	}
	s.known, s.failure = known, nil
	return known, nil
}

func (s *source) remembered() (*discovered, error, bool) { //nolint:revive // the bool says whether the rest counts
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	resting := s.failure != nil && now.Sub(s.failed).Abs() < retryAfter
	switch {
	case s.known != nil && (resting || now.Sub(s.known.at).Abs() < rediscover):
		return s.known, nil, true
	case s.known == nil && resting:
		return nil, s.failure, true
	}
	return nil, nil, false
}

func (s *source) ask(ctx context.Context) (*discovered, error) {
	if s.OAuth2 != nil {
		return &discovered{authURL: s.OAuth2.AuthURL, tokenURL: s.OAuth2.TokenURL, style: oauth2.AuthStyleInParams, at: s.now()}, nil
	}
	provider, err := coreos.NewProvider(ctx, s.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		JWKS        string   `json:"jwks_uri"`
		SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
		Styles      []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	d := &discovered{
		authURL: provider.Endpoint().AuthURL, tokenURL: provider.Endpoint().TokenURL, style: oauth2.AuthStyleInHeader,
		provider: provider, sendsIssuer: more.SendsIssuer, at: s.now(),
	}
	if s.ClientSecret == "" || len(more.Styles) > 0 && !slices.Contains(more.Styles, "client_secret_basic") {
		d.style = oauth2.AuthStyleInParams
	}
	for name, address := range map[string]string{"authorization_endpoint": d.authURL, "token_endpoint": d.tokenURL, "jwks_uri": more.JWKS} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && (!strings.HasPrefix(s.Issuer, "http://") || !isLoopback(u.Hostname())) {
			return nil, fmt.Errorf("oidc: the %s of %s is no https address", name, s.Issuer)
		}
	}
	d.verifier = provider.Verifier(&coreos.Config{ClientID: s.ClientID, Now: s.now})
	return d, nil
}

// config is the provider as package oauth2 wants it.
func (s *source) config(d *discovered, callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.ClientID, ClientSecret: s.ClientSecret, Scopes: s.Scopes, RedirectURL: callback,
		Endpoint: oauth2.Endpoint{AuthURL: d.authURL, TokenURL: d.tokenURL, AuthStyle: d.style},
	}
}

// get fetches JSON as the owner of a token.
func (s *source) get(ctx context.Context, token *oauth2.Token, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	r.Header.Set("Accept", "application/json")
	res, err := s.client.Do(r)
	if err != nil {
		return &awayError{err}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return &awayError{fmt.Errorf("oidc: %s answers %s", address, res.Status)}
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return &awayError{fmt.Errorf("oidc: the answer of %s: %w", address, err)}
	}
	return nil
}

// noteAway logs that the provider is away, once until it is back.
func (s *source) noteAway(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isAway {
		return
	}
	s.isAway, s.awayFrom = true, s.now()
	s.logger().Error("a provider to log in with is away", "provider", s.Name, "error", short(err.Error()))
}

// noteBack logs that a provider that was away has answered.
func (s *source) noteBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isAway {
		s.isAway = false
		s.logger().Info("a provider to log in with is back", "provider", s.Name, "after", s.now().Sub(s.awayFrom).Round(time.Second))
	}
}

// short cuts what others have written for the log: errors of the libraries quote whole
// answers.
func short(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "?")); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
