package db_test

import (
	"context"
	"fmt"
	"log"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
)

// An app with a database. In the program's main function app.Run() follows; its
// commands bring the tables up to date.
func ExampleOpen() {
	app := retort.New(retort.Config{Name: "notes"})
	app.Install(db.Open("sqlite::memory:"))

	app.Get("/accounts/{name}", func(c *retort.Ctx) error {
		a := Accounts.Fields()
		account, err := Accounts.Where(orm.Eq(&a.Name, c.Param("name"))).Get(c)
		if err != nil {
			return err // 404 if there is none
		}
		return c.JSON(account)
	})

	out, err := app.Call(context.Background(), "migrate", "--plan")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(out)
	// Output:
	// db_test.0001_initial
	//     Create model Account
	// db_test.0002_note
	//     Create model Note
	//     Run SQL: UPDATE db_test_account SET name = upper(name)
}

// A program that brings its tables up to date by itself when it starts.
func ExampleMigrate() {
	app := retort.New()
	app.Install(db.Open("sqlite::memory:"))
	app.OnStartup(db.Migrate)

	if err := app.Startup(context.Background()); err != nil {
		log.Fatal(err)
	}
	defer app.Shutdown(context.Background())
	n, err := Accounts.Count(app.Context())
	fmt.Println(n, err)
	// Output: 0 <nil>
}

// A handler whose writes are kept together or not at all.
func ExampleAtomic() {
	app := retort.New()
	app.Install(db.Open("sqlite::memory:"))
	app.Post("/accounts", func(c *retort.Ctx) error {
		account := &Account{Name: c.FormValue("name")}
		if err := Accounts.Insert(c, account); err != nil {
			return err
		}
		note := &Note{Text: "Account opened."}
		note.Account.Set(account)
		if err := Notes.Insert(c, note); err != nil {
			return err // the account is not kept either
		}
		return c.JSON(account)
	}).Use(db.Atomic)
}
