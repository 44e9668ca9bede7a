package mysql_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/mysql"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"mysql://u:p%40%2F@db.example:3307/blog":  "u p@/ tcp db.example:3307 blog",
		"mariadb://u@h/blog":                      "u  tcp h:3306 blog",
		"mysql:///blog":                           "  tcp 127.0.0.1:3306 blog",
		"mysql://u@[::1]:1/b":                     "u  tcp [::1]:1 b",
		"mysql://u@/b?socket=/run/x.sock&pool=3":  "u  unix /run/x.sock b",
		"mysql://h/b?isolation=repeatable-read":   "  tcp h:3306 b",
		"mysql://h/b?tls=true&max_lifetime=1h30m": "  tcp h:3306 b",
	} {
		cfg, options, err := mysql.ParseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		got := strings.Join([]string{cfg.User, cfg.Passwd, cfg.Net, cfg.Addr, cfg.DBName}, " ")
		if got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		if strings.Contains(url, "isolation") && options.Isolation != orm.RepeatableRead || strings.Contains(url, "1h30m") && (options.MaxLifetime != 90*time.Minute || options.TLS == nil) {
			t.Errorf("%s: %+v", url, options)
		}
	}
	for _, url := range []string{
		"mysql:", "mysql://h", "mysql://h/", "mysql://h/a/b", "mysql://h:x/b", "mysql://u:se%zzcret@h/b", "mysql://u:secret@h/b?pool=x", "mysql://u:secret@h/b?pol=1",
		"mysql://u:secret@h/b?isolation=none", "mysql://u:secret@h/b?collation=a'b", "mysql://u:secret@h/b?pool=-1", "mysql://u:secret@h/b?statement_timeout=-1s", "mysql://u:secret@h/b?statement_timeout=30", "mysql://u:secret@h/b?tls=maybe", "mysql://u:secret@h/b?tls=/no/such.pem",
		"mysql://u:secret@h/b?%zz",
	} {
		if _, _, err := mysql.ParseURL(url); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"8.4.3": "mysql", "9.1.0-commercial": "mysql", "10.11.6-MariaDB-1": "mariadb", "5.5.5-10.11.6-MariaDB": "mariadb", "11.4.2-MariaDB": "mariadb",
		"5.7.44": "", "10.5.9-MariaDB": "", "PostgreSQL 17": "",
	} {
		mariaDB, err := mysql.KindOf(version)
		if (err == nil) != (want != "") || err == nil && mariaDB != (want == "mariadb") {
			t.Errorf("%s: %v, %v", version, mariaDB, err)
		}
	}
}

// What the servers say that are not at hand, too.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		number  uint16
		message string
		kind    orm.ConstraintKind
		want    string // table, constraint, columns
	}{
		{1062, "Duplicate entry 'x' for key 'blog_post.slug'", orm.UniqueConstraint, "blog_post slug "},
		{1062, "Duplicate entry 'for key 'x'' for key 'slug'", orm.UniqueConstraint, " slug "},
		{1451, "Cannot delete or update a parent row: a foreign key constraint fails (`test`.`blog_post`, CONSTRAINT `blog_post_author_id_fk` FOREIGN KEY (`author_id`) REFERENCES `auth_user` (`id`))", orm.ForeignKeyConstraint, "blog_post blog_post_author_id_fk author_id"},
		{1452, "Cannot add or update a child row: a foreign key constraint fails (`t`, CONSTRAINT `f` FOREIGN KEY (`a`, `b`) REFERENCES `u` (`a`, `b`))", orm.ForeignKeyConstraint, "t f a b"},
		{3819, "Check constraint 'title_not_empty' is violated.", orm.CheckConstraint, " title_not_empty "},
		{4025, "CONSTRAINT `title_not_empty` failed for `test`.`blog_post`", orm.CheckConstraint, "blog_post title_not_empty "},
		{1048, "Column 'title' cannot be null", orm.NotNullConstraint, "  title"},
		{1364, "Field 'title' doesn't have a default value", orm.NotNullConstraint, "  title"},
	} {
		err := mysql.Classify(&driver.MySQLError{Number: tt.number, Message: tt.message})
		e, ok := errors.AsType[*orm.ConstraintError](err)
		if !ok || e.Kind != tt.kind || e.Table+" "+e.Constraint+" "+strings.Join(e.Columns, " ") != tt.want {
			t.Errorf("%s: %#v", tt.message, e)
		}
	}
	for number, want := range map[uint16]error{
		1205: orm.ErrLocked, 3572: orm.ErrLocked, 1213: orm.ErrDeadlock, 1020: orm.ErrSerialization, 1114: orm.ErrFull, 1290: orm.ErrReadOnly,
		1264: orm.ErrValue, 1366: orm.ErrValue, 1406: orm.ErrValue, 1040: orm.ErrUnavailable, 1053: orm.ErrUnavailable,
	} {
		if err := mysql.Classify(&driver.MySQLError{Number: number}); !errors.Is(err, want) {
			t.Errorf("%d: %v", number, err)
		}
	}
	if err := mysql.Classify(driver.ErrInvalidConn); !errors.Is(err, orm.ErrUnavailable) {
		t.Error(err)
	}
	syntax := &driver.MySQLError{Number: 1064}
	if err := mysql.Classify(syntax); !errors.Is(err, syntax) {
		t.Error(err)
	}
}
