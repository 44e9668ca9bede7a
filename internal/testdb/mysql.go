package testdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/mysql" // the driver
)

// createMySQL makes a database on a server of MySQL or MariaDB.
func createMySQL(t testing.TB, server string) database {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("RETORT_TEST_MYSQL is not a URL such as mysql://root@127.0.0.1:3306/test")
	}
	name := "retort_" + strings.ToLower(rand.Text()[:16])
	run := func(ctx context.Context, sql string) error {
		db, err := orm.Open(ctx, server)
		if err != nil {
			return fmt.Errorf("the server of RETORT_TEST_MYSQL: %w", err)
		}
		defer func() { _ = db.Close() }()
		_, err = db.Exec(ctx, sql)
		return err
	}
	if err := run(t.Context(), "CREATE DATABASE `"+name+"`"); err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return database{u.String(), func(ctx context.Context) error { return run(ctx, "DROP DATABASE `"+name+"`") }}
}

func schemaOfMySQL(ctx context.Context, db *orm.DB) (string, error) {
	return describe(ctx, db, "SELECT table_name, create_time FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name")
}

func emptyMySQL(ctx context.Context, db *orm.DB) error {
	full, err := filled(ctx, db)
	if err != nil {
		return err
	}
	// A table that had rows which are gone has to count from 1 again, too.
	counted, err := texts(ctx, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND auto_increment > 1")
	if err != nil {
		return err
	}
	return db.Atomic(ctx, orm.TxOptions{}, func(ctx context.Context) error {
		if _, err := db.Exec(ctx, "SET SESSION foreign_key_checks = 0"); err != nil {
			return err
		}
		for _, table := range full {
			if _, err := db.Exec(ctx, "DELETE FROM `"+table+"`"); err != nil {
				return err
			}
		}
		for _, table := range counted {
			if _, err := db.Exec(ctx, "ALTER TABLE `"+table+"` AUTO_INCREMENT = 1"); err != nil {
				return err
			}
		}
		return nil
	})
}
