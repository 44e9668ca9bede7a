package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
)

// parseURL reads a database URL:
//
//	mysql://user:password@host:3306/blog
//	mysql://user@/blog?socket=/run/mysqld/mysqld.sock
//	mysql://user@host/blog?pool=50&tls=true
//
// Its errors do not repeat the URL, which may hold a password.
func parseURL(s string) (*driver.Config, Options, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, Options{}, errors.New("mysql: the database URL cannot be read; write it as mysql://user:password@host:3306/name, with characters such as @ and / in the password written as %40 and %2F")
	}
	if u.Opaque != "" || u.Fragment != "" {
		return nil, Options{}, errors.New("mysql: write the database URL as mysql://user:password@host:3306/name")
	}
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr = "tcp", "127.0.0.1:3306"
	if u.Host != "" {
		port := u.Port()
		if port == "" {
			port = "3306"
		}
		host := u.Hostname()
		if host == "" {
			host = "127.0.0.1"
		}
		cfg.Addr = net.JoinHostPort(host, port)
	}
	if u.User != nil {
		cfg.User = u.User.Username()
		cfg.Passwd, _ = u.User.Password()
	}
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	if cfg.DBName == "" || strings.ContainsAny(cfg.DBName, "/\x00") {
		return nil, Options{}, errors.New("mysql: the database URL names no database; write it as mysql://user:password@host:3306/name")
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, Options{}, errors.New("mysql: the options in the database URL cannot be read")
	}
	var o Options
	for key, list := range values {
		if err := o.set(cfg, key, list[len(list)-1]); err != nil {
			return nil, Options{}, err
		}
	}
	return cfg, o, o.check()
}

func (o *Options) set(cfg *driver.Config, key, value string) error {
	var err error
	switch key {
	case "pool":
		o.MaxConns, err = strconv.Atoi(value)
	case "statements":
		o.Statements, err = strconv.Atoi(value)
	case "max_idle_time":
		o.MaxIdleTime, err = time.ParseDuration(value)
	case "max_lifetime":
		o.MaxLifetime, err = time.ParseDuration(value)
	case "queue_timeout":
		o.QueueTimeout, err = time.ParseDuration(value)
	case "connect_timeout":
		o.ConnectTimeout, err = time.ParseDuration(value)
	case "lock_timeout":
		o.LockTimeout, err = time.ParseDuration(value)
	case "statement_timeout":
		o.StatementTimeout, err = time.ParseDuration(value)
	case "isolation":
		o.Isolation = orm.Isolation(strings.ToUpper(strings.NewReplacer("-", " ", "_", " ").Replace(value)))
	case "collation":
		o.Collation = value
	case "socket":
		cfg.Net, cfg.Addr = "unix", value
	case "tls":
		o.TLS, err = tlsConfig(value)
		if err != nil && !errors.Is(err, strconv.ErrSyntax) {
			return err
		}
	default:
		return fmt.Errorf("mysql: unknown option %q in the database URL; known: collation, connect_timeout, isolation, lock_timeout, max_idle_time, max_lifetime, pool, queue_timeout, socket, statement_timeout, statements, tls", key)
	}
	if err != nil {
		return fmt.Errorf("mysql: option %s=%q in the database URL is not valid", key, value)
	}
	return nil
}

// tlsConfig reads the option tls: true, false, skip-verify, or a file with the
// certificates of those who may vouch for the server.
func tlsConfig(value string) (*tls.Config, error) {
	switch on, err := strconv.ParseBool(value); {
	case value == "skip-verify":
		// Asked for by name: encrypted, but with whoever answers.
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // asked for by name
	case err == nil && on:
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	case err == nil:
		return nil, nil
	case !strings.ContainsAny(value, "/."):
		return nil, err
	}
	pem, err := os.ReadFile(value)
	if err != nil {
		return nil, fmt.Errorf("mysql: the certificates of option tls: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mysql: the file of option tls holds no certificate: %s", value)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
