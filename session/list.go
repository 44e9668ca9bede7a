package session

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
)

// MaxListed is how many sessions of a user [Manager.List] returns at most.
const MaxListed = 100

// ErrNotOnServer says that sessions cannot be listed or ended from elsewhere,
// since their store keeps them in the visitors' cookies.
var ErrNotOnServer = errors.New("session: sessions in cookies can be neither listed nor ended from elsewhere; use a store on the server")

// Info is what a user is shown of a session of theirs.
type Info struct {
	Key      string // stands for the session, and lets nobody in: see [Manager.End]
	User     string
	Agent    string // what the browser calls itself, at most 200 bytes
	Address  string // that the session was last used from
	LoggedIn time.Time
	LastSeen time.Time // to within [Options].Touch
	Expires  time.Time
	Current  bool // it is the session that asks
}

// DescribeStored returns the info of a session that a store keeps under that key.
func DescribeStored(key string, data []byte) (Info, error) {
	s, _, flags, err := decodeHead(data)
	if err != nil || flags&flagServer == 0 {
		return Info{}, errEncoding
	}
	return Info{
		Key: key, User: s.user, Agent: s.agent, Address: s.address,
		LoggedIn: time.Unix(s.loggedIn, 0), LastSeen: time.Unix(s.saved, 0), Expires: s.expires,
	}, nil
}

// List returns the sessions of a user, the last used first, at most [MaxListed];
// current is the one that asks, or nil. For sessions in cookies it fails with
// [ErrNotOnServer], as do the methods that end sessions.
func (m *Manager) List(ctx context.Context, user string, current *Session) ([]Info, error) {
	store, err := m.serverStore(user)
	if err != nil {
		return nil, err
	}
	list, err := store.List(ctx, user)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Current = current != nil && current.storedID != "" && list[i].Key == Key(current.storedID)
	}
	return list, nil
}

// End ends the session of that [Info].Key if it is the user's, and reports
// whether there was one.
func (m *Manager) End(ctx context.Context, user, key string) (bool, error) {
	store, err := m.serverStore(user)
	if err != nil {
		return false, err
	}
	n, err := store.End(ctx, user, key)
	return n > 0, err
}

// EndOthers ends all sessions of the user of s but s itself, and returns how
// many.
func (m *Manager) EndOthers(ctx context.Context, s *Session) (int, error) {
	store, err := m.serverStore(s.User())
	if err != nil {
		return 0, err
	}
	keep := ""
	if s.storedID != "" {
		keep = Key(s.storedID)
	}
	return store.EndAll(ctx, s.user, keep)
}

// EndAll ends all sessions of a user, as is right when the account is closed, and
// returns how many.
func (m *Manager) EndAll(ctx context.Context, user string) (int, error) {
	store, err := m.serverStore(user)
	if err != nil {
		return 0, err
	}
	return store.EndAll(ctx, user, "")
}

// DeleteExpired deletes what expired sessions have left in a store on the server,
// in steps of a thousand, and returns how many it deleted. It stops when ctx ends.
func (m *Manager) DeleteExpired(ctx context.Context) (int, error) {
	store, ok := m.store.(ServerStore)
	if !ok {
		return 0, nil
	}
	const step = 1000
	total := 0
	for {
		n, err := store.DeleteExpired(ctx, step)
		total += n
		if err == nil {
			err = ctx.Err()
		}
		if n < step || err != nil {
			return total, err
		}
	}
}

// OnServer reports whether the sessions are kept on the server, so that they can
// be listed and ended.
func (m *Manager) OnServer() bool {
	_, ok := m.store.(ServerStore)
	return ok
}

var errNoUser = errors.New("session: no user given; sessions that nobody has logged in to belong to nobody")

func (m *Manager) serverStore(user string) (ServerStore, error) {
	store, ok := m.store.(ServerStore)
	switch {
	case !ok:
		return nil, ErrNotOnServer
	case user == "":
		return nil, errNoUser
	}
	return store, nil
}

// maxAgent bounds what is kept of a browser's name, in bytes.
const maxAgent = 200

// clip makes what a client says about itself short and printable.
func clip(agent string) string {
	if len(agent) > maxAgent {
		agent = agent[:maxAgent]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
}

// peerAddress returns the address of the connection.
func peerAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
