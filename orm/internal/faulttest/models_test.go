// Package faulttest_test does to all databases what goes wrong in production, and what
// attackers send.
package faulttest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// Account has a field of each kind that a request may come near.
type Account struct {
	orm.Model
	Name    string `orm:"size=200"`
	Small   int16
	Balance int64
	Note    string `orm:"text"`
	Data    []byte
	Extra   orm.JSON[any] `orm:"null"`
	At      *time.Time
	Owner   orm.FK[Owner] `orm:"null"`
}

// Owner has accounts.
type Owner struct {
	orm.Model
	Name     string               `orm:"size=200"`
	Secret   string               `orm:"size=200"`
	Accounts orm.HasMany[Account] // reverse of Account.Owner
}

// Canary is a table that every statement pasted together from a request would like to
// drop.
type Canary struct {
	orm.Model
	Name string `orm:"size=200"`
}

var (
	Accounts = orm.Register[Account]()
	Owners   = orm.Register[Owner]()
	Canaries = orm.Register[Canary]()
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// isAny reports whether err is one of several errors.
func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
