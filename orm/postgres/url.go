package postgres

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// parseURL reads a database URL:
//
//	postgres://user:password@host:5432/name
//	postgres://user@/name?host=/var/run/postgresql           a Unix socket
//	postgres://one,two/name?target_session_attrs=read-write  the first that can write
//
// Its options are those of libpq (sslmode, sslrootcert, connect_timeout,
// application_name …), of pgx's pool (pool_max_conns …), those of this package
// (statements, queue_timeout, simple_protocol), and settings of the session such as
// search_path or statement_timeout.
func parseURL(s string) (*pgxpool.Config, Options, error) {
	var o Options
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		// What went wrong is not repeated, since it may hold the password.
		return nil, o, fmt.Errorf("postgres: the database URL is not valid; write it as postgres://user:password@host:5432/name, with %%40 for an @ in the password")
	}
	values := u.Query()
	for key, list := range values {
		known, err := o.set(key, list[len(list)-1])
		if err != nil {
			return nil, o, err
		}
		if known {
			values.Del(key)
		}
	}
	limited := values.Has("pool_max_conns")
	u.RawQuery = values.Encode()
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, o, fmt.Errorf("postgres: the database URL: %s", reason(err))
	}
	if !limited {
		config.MaxConns = max(defaultConns(), config.MinConns)
	}
	session := config.ConnConfig.RuntimeParams
	for name, value := range map[string]string{
		"timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "iso_8601", "bytea_output": "hex",
	} {
		session[name] = value
	}
	if session["application_name"] == "" {
		session["application_name"] = "retort"
	}
	return config, o, o.check()
}

// reason is what pgx says of a URL, without the URL.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 {
		text = text[i+len("`: "):]
	}
	return text
}

// set takes an option of this package.
func (o *Options) set(key, value string) (known bool, err error) {
	switch key {
	case "statements":
		if o.Statements, err = strconv.Atoi(value); o.Statements == 0 {
			o.Statements = -1
		}
	case "queue_timeout":
		o.QueueTimeout, err = time.ParseDuration(value)
	case "simple_protocol":
		o.SimpleProtocol, err = strconv.ParseBool(value)
	default:
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("postgres: option %s=%q in the database URL is not valid", key, value)
	}
	return true, nil
}
