package jwt

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/retort-web/retort"
)

const (
	// maxKeySet bounds what is read of an issuer's keys, in bytes and in number.
	maxKeySet  = 1 << 20
	maxKeyRing = 100
	// keysAge is how old they become before they are asked for anew.
	keysAge = time.Hour
	// keysRest is how long they are not asked for again: strangers can name keys that do
	// not exist as often as they like.
	keysRest = 30 * time.Second
	// keysLast is how old they may become while they cannot be had: then nobody knows
	// whether the issuer still stands by them.
	keysLast = 24 * time.Hour
)

// KeysAt are the keys that an issuer publishes at an address as a JWK set. They are
// asked for when a token needs them, once an hour and when a token names one that is not
// known. While they cannot be had those of before are taken, for a day; without any the
// answer is 503. The address is https, but for one on this machine.
func KeysAt(address string) Keys {
	return &remoteKeys{address: address, asking: make(chan struct{}, 1)}
}

type remoteKeys struct {
	address string
	issuer  string
	client  *http.Client
	now     func() time.Time
	app     *retort.App
	asking  chan struct{} // held by who asks

	mu     sync.Mutex
	keys   keySet
	got    time.Time // when the keys were had
	tried  time.Time // when they were last asked for
	err    error     // of that
	isAway bool
}

func (r *remoteKeys) install(e *Extension, issuer string) error {
	u, err := url.Parse(r.address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return fmt.Errorf("jwt: the keys of %s: %q is no https address", issuer, r.address)
	}
	if r.client != nil {
		return fmt.Errorf("jwt: the keys at %s are used twice; call KeysAt for each issuer", r.address)
	}
	transport := e.options.Transport
	if transport == nil {
		transport = http.DefaultTransport
		if t, ok := transport.(*http.Transport); ok {
			transport = t.Clone()
		}
	}
	r.issuer, r.now, r.app = issuer, func() time.Time { return e.now() }, e.app
	r.client = &http.Client{
		Timeout: e.options.Timeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *remoteKeys) find(ctx context.Context, id string) (*Key, error) {
	key, err, must := r.remembered(ctx, id)
	if !must {
		return key, err
	}
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if key, err, must := r.remembered(ctx, id); !must { // another request has asked
		return key, err
	}
	// The client has a time limit, and others wait for the same.
	r.note(r.ask(context.WithoutCancel(ctx)))
	return r.look(ctx, id)
}

// remembered answers from what is known, or says that the issuer must be asked. Keys
// that are old are asked for in the background: who waits for them must not wait for an
// issuer that is slow.
func (r *remoteKeys) remembered(ctx context.Context, id string) (key *Key, err error, must bool) { //nolint:revive // the bool says whether the rest counts
	r.mu.Lock()
	now := r.now()
	resting := !r.tried.IsZero() && now.Sub(r.tried).Abs() < keysRest
	fresh := r.keys != nil && now.Sub(r.got).Abs() < keysAge
	r.mu.Unlock()
	key, err = r.look(ctx, id)
	if resting {
		return key, err, false
	}
	if err == nil && !fresh {
		r.renew()
	}
	return key, err, err != nil
}

// renew asks for the keys in the background, unless somebody asks already.
func (r *remoteKeys) renew() {
	select {
	case r.asking <- struct{}{}:
		r.app.Go("keys of "+r.issuer, func(ctx context.Context) {
			defer func() { <-r.asking }()
			r.note(r.ask(ctx))
		})
	default:
	}
}

// look finds a key among those that are known.
func (r *remoteKeys) look(ctx context.Context, id string) (*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil || r.now().Sub(r.got).Abs() >= keysLast {
		return nil, &awayError{cmp.Or(r.err, errNoKey)}
	}
	return r.keys.find(ctx, id)
}

// note keeps what an issuer has answered, and logs once that it does not and once that
// it does again.
func (r *remoteKeys) note(keys keySet, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried, r.err = r.now(), err
	switch {
	case err != nil && !r.isAway:
		r.app.Logger().Error("the keys of an issuer of tokens cannot be had", "issuer", r.issuer, "error", err)
	case err == nil && r.isAway:
		r.app.Logger().Info("the keys of an issuer of tokens can be had again", "issuer", r.issuer)
	}
	if r.isAway = err != nil; err == nil {
		r.keys, r.got = keys, r.tried
	}
}

// ask fetches the keys. Those that cannot be used are left out: a set may have some for
// other purposes.
func (r *remoteKeys) ask(ctx context.Context) (keySet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	res, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jwt: %s answers %s", r.address, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("jwt: the answer of %s is too long", r.address)
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("jwt: the answer of %s: %w", r.address, err)
	}
	keys := keySet{}
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeyRing)] {
		var jwk jose.JSONWebKey
		if json.Unmarshal(raw, &jwk) != nil || !jwk.IsPublic() || jwk.Use != "" && jwk.Use != "sig" {
			continue
		}
		key := &Key{ID: jwk.KeyID, Algorithm: jwk.Algorithm, Public: jwk.Key}
		if key.complete() == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("jwt: %s has no key that tokens can be verified by", r.address)
	}
	return keys, nil
}
