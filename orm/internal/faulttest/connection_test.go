package faulttest_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// proxy stands between a pool and the server, and cuts the lines.
type proxy struct {
	address string
	server  string

	mu       sync.Mutex
	listener net.Listener
	lines    map[net.Conn]bool
	// after is how many bytes from the server pass until all lines are cut; 0 for any.
	after atomic.Int64
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	p := &proxy{server: server, lines: map[net.Conn]bool{}}
	p.open(t, "127.0.0.1:0")
	t.Cleanup(p.close)
	return p
}

// open accepts connections, from now on.
func (p *proxy) open(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	must(t, err)
	p.mu.Lock()
	p.listener, p.address = listener, listener.Addr().String()
	p.mu.Unlock()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.server)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.lines[client], p.lines[server] = true, true
			p.mu.Unlock()
			go p.pump(server, client, false)
			go p.pump(client, server, true)
		}
	}()
}

func (p *proxy) pump(to, from net.Conn, counted bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
			if counted && p.after.Load() > 0 && p.after.Add(int64(-n)) <= 0 {
				p.after.Store(0)
				p.cut()
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends all connections, as a network or a server does that goes away.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range p.lines {
		_ = line.Close()
	}
	clear(p.lines)
}

// close accepts no more connections and ends those there are.
func (p *proxy) close() {
	p.mu.Lock()
	_ = p.listener.Close()
	p.mu.Unlock()
	p.cut()
}

// eachServer runs a test on the databases that are servers.
func eachServer(t *testing.T, test func(t *testing.T, kind testdb.Kind)) {
	t.Helper()
	for _, kind := range testdb.Kinds() {
		if kind.Name != "sqlite" {
			t.Run(kind.Name, func(t *testing.T) {
				t.Parallel()
				test(t, kind)
			})
		}
	}
}

// throughProxy is a context with a database behind a proxy, and one with the same
// database, without.
func throughProxy(t *testing.T, kind testdb.Kind, options ...string) (ctx, direct context.Context, p *proxy) {
	t.Helper()
	address := kind.URL(t)
	db := testdb.OpenURL(t, address)
	testdb.CreateTables(t, db)
	u, err := url.Parse(address)
	must(t, err)
	p = newProxy(t, u.Host)
	u.Host = p.address
	values := u.Query()
	for i := 0; i < len(options); i += 2 {
		values.Set(options[i], options[i+1])
	}
	u.RawQuery = values.Encode()
	return orm.WithDB(t.Context(), testdb.OpenURL(t, u.String())), orm.WithDB(t.Context(), db), p
}

func poolOf(kind testdb.Kind, n int) []string {
	if kind.Name == "postgres" {
		return []string{"pool_max_conns", strconv.Itoa(n), "queue_timeout", "300ms"}
	}
	return []string{"pool", strconv.Itoa(n), "queue_timeout", "300ms"}
}

// sleep is a statement that takes so many seconds.
func sleep(kind testdb.Kind, seconds string) string {
	if kind.Name == "postgres" {
		return "SELECT pg_sleep(" + seconds + ")::text"
	}
	return "SELECT SLEEP(" + seconds + ")"
}

func count(t *testing.T, ctx context.Context) int64 {
	t.Helper()
	n, err := Accounts.Count(ctx)
	must(t, err)
	return n
}

func TestConnectionIsCutInAQuery(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, _, p := throughProxy(t, kind)
		db, err := orm.DBFrom(ctx)
		must(t, err)
		count(t, ctx)
		time.AfterFunc(200*time.Millisecond, p.cut)
		start := time.Now()
		if _, err := db.Exec(ctx, sleep(kind, "20")); !errors.Is(err, orm.ErrUnavailable) {
			t.Errorf("while the server works: %v", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it was noticed after %v", took)
		}
		count(t, ctx) // the pool is well again at once
		p.cut()
		count(t, ctx) // an idle connection that was cut is none of the program's business
	})
}

func TestConnectionIsCutBetweenRows(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, direct, p := throughProxy(t, kind)
		rows := make([]*Account, 300)
		for i := range rows {
			rows[i] = &Account{Name: strconv.Itoa(i), Note: strings.Repeat("x", 10_000)}
		}
		must(t, Accounts.Insert(direct, rows...))
		count(t, ctx)
		p.after.Store(1_000_000)
		n := 0
		var failed error
		for _, err := range Accounts.Each(ctx) {
			if err != nil {
				failed = err
				break
			}
			n++
		}
		if !errors.Is(failed, orm.ErrUnavailable) || n == 0 || n >= 300 {
			t.Errorf("%d rows, then %v", n, failed)
		}
		p.after.Store(1_000_000)
		if list, err := Accounts.All(ctx); !errors.Is(err, orm.ErrUnavailable) || len(list) != 0 {
			t.Errorf("a part of the rows is given for all: %d rows, %v", len(list), err)
		}
		if n := count(t, ctx); n != 300 {
			t.Error(n)
		}
	})
}

func TestConnectionIsCutInATransaction(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, direct, p := throughProxy(t, kind)
		err := orm.Atomic(ctx, func(ctx context.Context) error {
			must(t, Accounts.Insert(ctx, &Account{Name: "lost"}))
			p.cut()
			err := Accounts.Insert(ctx, &Account{Name: "late"})
			if again := Accounts.Insert(ctx, &Account{Name: "later"}); !errors.Is(again, orm.ErrBrokenTransaction) {
				t.Errorf("on a line that is cut: %v", again)
			}
			return err
		})
		if !errors.Is(err, orm.ErrUnavailable) || errors.Is(err, orm.ErrCommitUnknown) {
			t.Errorf("in the transaction: %v", err)
		}
		committed := false
		err = orm.Atomic(ctx, func(ctx context.Context) error {
			must(t, Accounts.Insert(ctx, &Account{Name: "unknown"}))
			orm.OnCommit(ctx, func(context.Context) { committed = true })
			p.cut()
			return nil
		})
		if !errors.Is(err, orm.ErrCommitUnknown) || committed {
			t.Errorf("at the commit: %v, hook called: %v", err, committed)
		}
		// Nothing that was in a transaction is written by itself.
		for start := time.Now(); count(t, direct) != 0; time.Sleep(20 * time.Millisecond) {
			if time.Since(start) > 20*time.Second {
				t.Fatal("rows of transactions that were lost")
			}
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error { return Accounts.Insert(ctx, &Account{Name: "well"}) }))
	})
}

// A write whose answer was lost may have happened: it must not be sent again by itself.
func TestWritesAreNotRepeated(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, direct, p := throughProxy(t, kind)
		db, err := orm.DBFrom(ctx)
		must(t, err)
		count(t, ctx)
		slow := "INSERT INTO faulttest_test_canary (name) SELECT CONCAT('bird', SLEEP(1))"
		if kind.Name == "postgres" {
			slow = "INSERT INTO faulttest_test_canary (name) SELECT 'bird' || pg_sleep(1)::text"
		}
		time.AfterFunc(300*time.Millisecond, p.cut)
		if _, err := db.Exec(ctx, slow); !errors.Is(err, orm.ErrUnavailable) {
			t.Errorf("%v", err)
		}
		time.Sleep(1500 * time.Millisecond)
		if n, err := Canaries.Count(direct); n > 1 || err != nil {
			t.Errorf("written %d times, %v", n, err)
		}
	})
}

func TestServerIsAway(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, _, p := throughProxy(t, kind)
		count(t, ctx)
		p.close()
		start := time.Now()
		for range 3 {
			if _, err := Accounts.Count(ctx); !errors.Is(err, orm.ErrUnavailable) {
				t.Errorf("reading: %v", err)
			}
			err := orm.Atomic(ctx, func(ctx context.Context) error { return Accounts.Insert(ctx, &Account{Name: "x"}) })
			if !errors.Is(err, orm.ErrUnavailable) {
				t.Errorf("writing: %v", err)
			}
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("six answers took %v", took)
		}
		p.open(t, p.address)
		count(t, ctx) // without a restart of the program
	})
}

// A restart of the server ends all sessions while they are busy: each error says so, and
// nothing is half done.
func TestServerRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, direct, p := throughProxy(t, kind, poolOf(kind, 6)...)
		var wg sync.WaitGroup
		var written, unknown atomic.Int64
		for worker := range 12 {
			wg.Go(func() {
				for i := range 15 {
					name := strconv.Itoa(worker) + "/" + strconv.Itoa(i)
					err := orm.Atomic(ctx, func(ctx context.Context) error {
						if err := Accounts.Insert(ctx, &Account{Name: name + " a"}); err != nil {
							return err
						}
						return Accounts.Insert(ctx, &Account{Name: name + " b"})
					})
					switch {
					case err == nil:
						written.Add(1)
					case errors.Is(err, orm.ErrCommitUnknown):
						unknown.Add(1)
					case !isAny(err, orm.ErrUnavailable, orm.ErrLocked):
						t.Errorf("%v", err)
					}
				}
			})
		}
		for range 8 {
			time.Sleep(30 * time.Millisecond)
			p.cut()
		}
		wg.Wait()
		time.Sleep(200 * time.Millisecond)
		n := count(t, direct)
		if n%2 != 0 || n < 2*written.Load() || n > 2*(written.Load()+unknown.Load()) {
			t.Errorf("%d rows of %d transactions that were written and %d of which nobody knows", n, written.Load(), unknown.Load())
		}
		count(t, ctx)
	})
}

func TestPoolIsExhausted(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, _, _ := throughProxy(t, kind, poolOf(kind, 2)...)
		must(t, orm.Atomic(ctx, func(inner context.Context) error {
			return orm.Atomic(ctx, func(context.Context) error {
				if _, err := Accounts.Count(ctx); !errors.Is(err, orm.ErrLocked) {
					t.Errorf("without a deadline: %v", err)
				}
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				start := time.Now()
				if _, err := Accounts.Count(short); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
					t.Errorf("with a deadline: %v after %v", err, time.Since(start))
				}
				return nil
			})
		}))
		count(t, ctx)
	})
}

// Contexts that end at all moments of a query and of a transaction leave no connection
// behind that is taken or broken.
func TestCancelledContextsLeakNothing(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		ctx, _, _ := throughProxy(t, kind, poolOf(kind, 3)...)
		db, err := orm.DBFrom(ctx)
		must(t, err)
		var wg sync.WaitGroup
		for worker := range 12 {
			wg.Go(func() {
				for i := range 8 {
					short, cancel := context.WithTimeout(ctx, time.Duration((worker*8+i)*300)*time.Microsecond)
					err := orm.Atomic(short, func(ctx context.Context) error {
						if err := Accounts.Insert(ctx, &Account{Name: "x"}); err != nil {
							return err
						}
						_, err := db.Exec(ctx, sleep(kind, "0.005"))
						return err
					})
					if err != nil && !isAny(err, context.DeadlineExceeded, orm.ErrLocked) {
						t.Errorf("%v", err)
					}
					for _, err := range Accounts.Each(short) {
						if err != nil {
							break
						}
					}
					cancel()
				}
			})
		}
		wg.Wait()
		// All three can be had at once, and work.
		must(t, orm.Atomic(ctx, func(a context.Context) error {
			return orm.Atomic(ctx, func(b context.Context) error {
				return orm.Atomic(ctx, func(c context.Context) error {
					return errors.Join(Accounts.Insert(a, &Account{Name: "a"}), Accounts.Insert(b, &Account{Name: "b"}), Accounts.Insert(c, &Account{Name: "c"}))
				})
			})
		}))
	})
}
