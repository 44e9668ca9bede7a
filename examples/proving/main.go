// Command proving is a site that does what careless developers do, as an acceptance
// test of what Retort does about it: accounts, notes of one's own, uploads, mail, and a
// laboratory that hands what visitors send to the framework.
//
//	go run ./examples/proving --reset
//
// It serves on http://127.0.0.1:8000/ and keeps all in the folder proving-data. See
// README.md beside this file for its users and addresses.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/examples/proving/site"
	_ "github.com/retort-web/retort/orm/mysql"
	_ "github.com/retort-web/retort/orm/postgres"
	_ "github.com/retort-web/retort/orm/sqlite"
)

func main() {
	o, rest, err := options(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Args = append(os.Args[:1:1], rest...)
	// Mails have links, which are made for known hosts only.
	cfg := retort.Config{Name: "proving", Hosts: []string{"127.0.0.1", "localhost"}}
	if o.Database == "" {
		cfg.DatabaseURL = "sqlite:" + filepath.ToSlash(filepath.Join(o.Folder, "proving.db"))
	} else {
		cfg.DatabaseURL = o.Database
	}
	app := retort.New(cfg)
	app.Install(site.New(o))
	app.Run()
}

// options takes the flags of this program, which come before a command, out of the
// arguments; each is a variable of the environment too.
func options(args []string) (o site.Options, rest []string, err error) {
	fs := flag.NewFlagSet("proving", flag.ContinueOnError)
	fs.BoolVar(&o.Reset, "reset", os.Getenv("PROVING_RESET") != "", "begin with an empty folder and database, seeded anew")
	fs.StringVar(&o.Folder, "folder", or(os.Getenv("PROVING_FOLDER"), "proving-data"), "`folder` of the database, mails and uploads")
	fs.StringVar(&o.Mails, "mails", os.Getenv("PROVING_MAILS"), "`folder` of the mails; default: mails in the folder")
	fs.StringVar(&o.Uploads, "uploads", os.Getenv("PROVING_UPLOADS"), "`folder` of the uploads; default: uploads in the folder")
	fs.StringVar(&o.Mail, "mail", os.Getenv("PROVING_MAIL"), "`URL` of a mailer; default: the folder of the mails")
	fs.StringVar(&o.Redis, "redis", os.Getenv("PROVING_REDIS"), "`URL` of a server for sessions and counts; default: the database and the process")
	fs.StringVar(&o.Database, "database", os.Getenv("DATABASE_URL"), "`URL`; default: a SQLite file in the folder")
	fs.StringVar(&o.Password, "password", or(os.Getenv("PROVING_PASSWORD"), "proving-ground-42"), "`password` of all users")
	// The flags of commands are theirs: what is not known here is passed on.
	own := []string{}
	for i := 0; i < len(args); i++ {
		name, _, inline := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		f := fs.Lookup(name)
		if f == nil || !strings.HasPrefix(args[i], "-") {
			rest = append(rest, args[i])
			continue
		}
		own = append(own, args[i])
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !inline && !(ok && b.IsBoolFlag()) && i+1 < len(args) {
			i++
			own = append(own, args[i])
		}
	}
	err = fs.Parse(own)
	if o.Mails == "" {
		o.Mails = filepath.Join(o.Folder, "mails")
	}
	if o.Uploads == "" {
		o.Uploads = filepath.Join(o.Folder, "uploads")
	}
	// Only a program that serves begins anew.
	if len(rest) > 0 && rest[0] != "serve" && !strings.HasPrefix(rest[0], "-") {
		o.Reset = false
	}
	return o, slices.Clip(rest), err
}

func or(value, usual string) string {
	if value != "" {
		return value
	}
	return usual
}
