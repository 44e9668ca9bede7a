package sqlite

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// parseURL reads a database URL:
//
//	sqlite:blog.db                 a file, relative to the working directory
//	sqlite:/var/lib/blog.db        a file
//	sqlite:///var/lib/blog.db      the same
//	sqlite::memory:                in memory
//	sqlite:blog.db?busy_timeout=2s with options
func parseURL(s string) (path string, options Options, err error) {
	rest, ok := strings.CutPrefix(s, "sqlite:")
	if !ok {
		return "", options, fmt.Errorf("sqlite: a database URL begins with sqlite:, such as sqlite:site.db")
	}
	path, query, _ := strings.Cut(rest, "?")
	if p, found := strings.CutPrefix(path, "//"); found {
		// A URL has an authority here, which a file has not.
		if p != "" && p[0] != '/' {
			return "", options, fmt.Errorf("sqlite: write a relative path as sqlite:site.db and an absolute one as sqlite:///var/lib/site.db")
		}
		path = p
	}
	if path, err = url.PathUnescape(path); err != nil {
		return "", options, fmt.Errorf("sqlite: the path in the database URL: %w", err)
	}
	if path == "" {
		return "", options, fmt.Errorf("sqlite: the database URL names no file; write it as sqlite:site.db or sqlite::memory:")
	}
	if strings.IndexByte(path, 0) >= 0 {
		return "", options, fmt.Errorf("sqlite: the database URL holds a NUL character")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", options, fmt.Errorf("sqlite: the options in the database URL: %w", err)
	}
	for key, list := range values {
		if err := options.set(key, list[len(list)-1]); err != nil {
			return "", options, err
		}
	}
	return path, options, options.check()
}

func (o *Options) set(key, value string) error {
	var err error
	switch key {
	case "busy_timeout":
		o.BusyTimeout, err = time.ParseDuration(value)
	case "queue_timeout":
		o.QueueTimeout, err = time.ParseDuration(value)
	case "readers":
		o.Readers, err = strconv.Atoi(value)
	case "statements":
		o.Statements, err = strconv.Atoi(value)
	case "synchronous":
		o.Synchronous = strings.ToUpper(value)
	case "cache_size":
		o.CacheSize, err = strconv.Atoi(value)
	case "read_only":
		o.ReadOnly, err = strconv.ParseBool(value)
	default:
		return fmt.Errorf("sqlite: unknown option %q in the database URL; known: busy_timeout, cache_size, queue_timeout, read_only, readers, statements, synchronous", key)
	}
	if err != nil {
		return fmt.Errorf("sqlite: option %s=%q in the database URL is not valid", key, value)
	}
	return nil
}
