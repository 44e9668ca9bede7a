package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
)

// server makes connections to a server, and stops what they do.
type server struct {
	options Options
	config  *mysql.Config

	mu      sync.Mutex
	known   bool
	dialect dialect
}

// sqlMode is how each session reads SQL and treats values, see the package's comment.
const sqlMode = "ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

func newServer(cfg *mysql.Config, options Options) (*server, error) {
	s := &server{options: options, config: cfg}
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.ClientFoundRows = true
	cfg.MaxAllowedPacket = 0 // what the server says
	cfg.Timeout = options.ConnectTimeout
	cfg.TLS = options.TLS
	if cfg.TLS != nil && cfg.TLS.ServerName == "" && cfg.Net == "tcp" {
		if host, _, err := net.SplitHostPort(cfg.Addr); err == nil {
			cfg.TLS = cfg.TLS.Clone()
			cfg.TLS.ServerName = host
		}
	}
	// What the driver logs it also returns.
	cfg.Logger = &mysql.NopLogger{}
	if _, err := mysql.NewConnector(cfg); err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	return s, nil
}

// dial makes a connection and the way to cut it off.
func (s *server) dial(ctx context.Context) (driver.Conn, net.Conn, error) {
	var line net.Conn
	cfg := s.config.Clone()
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		line = c
		return c, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, nil, err
	}
	limited, cancel := context.WithTimeout(ctx, s.options.ConnectTimeout)
	defer cancel()
	raw, err := connector.Connect(limited)
	if end, ok := ctx.Deadline(); ok && err != nil && !time.Now().Before(end) {
		// The network's clock may be the first to notice.
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return raw, line, err
}

// connect makes a connection and sets its session up.
func (s *server) connect(ctx context.Context) (*conn, error) {
	raw, line, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := newConn(s, raw, line)
	if err := s.setUp(ctx, c); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

func (s *server) setUp(ctx context.Context, c *conn) error {
	spoken, err := identify(ctx, c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if !s.known {
		s.known, s.dialect = true, spoken
	}
	other := s.dialect.mariaDB != spoken.mariaDB
	s.mu.Unlock()
	if other {
		return errors.New("mysql: the server was of the other kind, MySQL or MariaDB, when the database was opened; open it again")
	}
	collation := s.options.Collation
	if collation == "" {
		collation = "utf8mb4_0900_bin"
		if spoken.mariaDB {
			collation = "utf8mb4_nopad_bin"
		}
	}
	// The quotients of whole numbers, averages among them, are decimals, of so many
	// digits more: enough for a float.
	settings := "SET NAMES utf8mb4 COLLATE " + collation + ", sql_mode = '" + sqlMode + "', time_zone = '+00:00', div_precision_increment = 16, group_concat_max_len = 67108864"
	if wait := s.options.LockTimeout; wait > 0 {
		seconds := max(1, int64((wait+time.Second-1)/time.Second))
		settings += ", innodb_lock_wait_timeout = " + strconv.FormatInt(seconds, 10)
	}
	if limit := s.options.StatementTimeout; limit > 0 {
		// The one takes seconds, with a fraction, and the other milliseconds; 0 is none.
		ms := max(1, limit.Milliseconds())
		if spoken.mariaDB {
			settings += fmt.Sprintf(", max_statement_time = %d.%03d", ms/1000, ms%1000)
		} else {
			settings += ", max_execution_time = " + strconv.FormatInt(ms, 10)
		}
	}
	if err := c.run(ctx, settings); err != nil {
		return err
	}
	return c.run(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL "+string(s.options.Isolation))
}

// identify asks what the connection and the server are.
func identify(ctx context.Context, c *conn) (dialect, error) {
	const ask = "SELECT CONNECTION_ID(), VERSION(), @@auto_increment_increment, CONVERT_TZ('2000-01-01 12:00:00', '+00:00', 'Europe/Oslo') IS NOT NULL"
	rows, err := c.query(ctx, orm.Statement{SQL: ask}, func() {})
	if err != nil {
		return dialect{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return dialect{}, errors.Join(rows.Err(), io.ErrUnexpectedEOF)
	}
	values, err := rows.Values()
	if err != nil {
		return dialect{}, err
	}
	version, _ := values[1].(string)
	id, _ := values[0].(int64)
	c.id.Store(id)
	d := dialect{zones: values[3] == int64(1)}
	d.keyStep, _ = values[2].(int64)
	d.mariaDB, err = kindOf(version)
	return d, err
}

// kindOf reads a version such as 8.4.3 or 10.11.6-MariaDB-1, perhaps with 5.5.5- before
// it, which MariaDB says to old replicas.
func kindOf(version string) (mariaDB bool, err error) {
	mariaDB = strings.Contains(version, "MariaDB")
	number := version
	if mariaDB {
		number = strings.TrimPrefix(version, "5.5.5-")
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(number, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return false, fmt.Errorf("mysql: the server calls itself version %q, which is no version of MySQL or MariaDB", version)
	}
	have := (major*1000+minor)*1000 + patch
	switch {
	case mariaDB && have < 10_006_000:
		return true, fmt.Errorf("mysql: the server is MariaDB %s; 10.6 is needed at least", version)
	case !mariaDB && have < 8_000_019:
		return false, fmt.Errorf("mysql: the server is MySQL %s; 8.0.19 is needed at least", version)
	}
	return mariaDB, nil
}

// killTimeout is how long a statement may take to end after the server was told to stop it.
const killTimeout = 3 * time.Second

// kill stops the statement that a connection runs and reports that it has finished. A
// KILL QUERY that arrives before the server has begun the statement is lost, so it is
// repeated; a statement that does not heed it is ended with its connection, as a server
// runs on for a client that has merely hung up. The pool may have no connection that is
// free, so one is made.
func (s *server) kill(id int64, finished <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	raw, _, err := s.dial(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = raw.Close() }()
	tell := func(ctx context.Context, statement string) error {
		_, err := raw.(driver.ExecerContext).ExecContext(ctx, statement+" "+strconv.FormatInt(id, 10), nil)
		return err
	}
	for pause := 10 * time.Millisecond; ctx.Err() == nil; pause *= 2 {
		if tell(ctx, "KILL QUERY") != nil {
			return false
		}
		select {
		case <-finished:
			return true
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	_ = tell(last, "KILL CONNECTION")
	return false
}
