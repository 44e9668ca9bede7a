// Command seed fills the PostgreSQL database (BENCH_DSN) and the SQLite file
// (BENCH_SQLITE) with the same rows. `seed reset` only empties what the
// workloads add; `seed json` prints the two pages' data.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/retort-web/retort/bench/internal/seed"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "reset" {
		reset()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "json" { // for templates.py
		p, tags := seed.Page(), map[int32]any{}
		for _, q := range p.Posts {
			tags[q.ID] = q.Tags
		}
		must(json.NewEncoder(os.Stdout).Encode(map[string]any{"page": p, "tags": tags, "fortunes": seed.Fortunes()}))
		return
	}
	d := seed.Make()
	if dsn := os.Getenv("BENCH_DSN"); dsn != "" {
		pg(dsn, d)
	}
	if f := os.Getenv("BENCH_SQLITE"); f != "" {
		lite(f, d)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func reset() {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, os.Getenv("BENCH_DSN"))
	must(err)
	_, err = c.Exec(ctx, "TRUNCATE comment RESTART IDENTITY")
	must(err)
	_, err = c.Exec(ctx, "VACUUM world")
	must(err)
	c.Close(ctx)
}

func pg(dsn string, d *seed.Data) {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, dsn)
	must(err)
	defer c.Close(ctx)
	for _, s := range seed.Schema("pg") {
		_, err := c.Exec(ctx, s)
		must(err)
	}
	put := func(table string, cols []string, n int, row func(i int) []any) {
		_, err := c.CopyFrom(ctx, pgx.Identifier{table}, cols, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
		must(err)
	}
	put("world", []string{"id", "randomnumber"}, len(d.Worlds), func(i int) []any { return []any{i + 1, d.Worlds[i]} })
	put("fortune", []string{"id", "message"}, len(d.Fortunes), func(i int) []any { return []any{i + 1, d.Fortunes[i]} })
	put("author", []string{"id", "name", "email"}, len(d.Authors), func(i int) []any { a := d.Authors[i]; return []any{a.ID, a.Name, a.Email} })
	put("tag", []string{"id", "name", "slug"}, len(d.Tags), func(i int) []any { t := d.Tags[i]; return []any{t.ID, t.Name, t.Slug} })
	put("post", []string{"id", "author_id", "title", "slug", "excerpt", "status", "published_at"}, len(d.Posts), func(i int) []any {
		p := d.Posts[i]
		return []any{p.ID, p.AuthorID, p.Title, p.Slug, p.Excerpt, p.Status, p.PublishedAt}
	})
	put("post_tag", []string{"post_id", "tag_id"}, len(d.PostTags), func(i int) []any { return []any{d.PostTags[i][0], d.PostTags[i][1]} })
	for _, t := range []string{"author", "tag", "post"} {
		_, err := c.Exec(ctx, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%s','id'), (SELECT max(id) FROM %s))", t, t))
		must(err)
	}
	_, err = c.Exec(ctx, "VACUUM ANALYZE")
	must(err)
}

func lite(file string, d *seed.Data) {
	for _, s := range []string{"", "-wal", "-shm"} {
		os.Remove(file + s)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	must(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	ex := func(q string, a ...any) {
		_, err := db.Exec(q, a...)
		must(err)
	}
	for _, s := range seed.Schema("sqlite") {
		ex(s)
	}
	ex("BEGIN")
	for i, w := range d.Worlds {
		ex("INSERT INTO world VALUES (?,?)", i+1, w)
	}
	for i, f := range d.Fortunes {
		ex("INSERT INTO fortune VALUES (?,?)", i+1, f)
	}
	for _, a := range d.Authors {
		ex("INSERT INTO author VALUES (?,?,?)", a.ID, a.Name, a.Email)
	}
	for _, t := range d.Tags {
		ex("INSERT INTO tag VALUES (?,?,?)", t.ID, t.Name, t.Slug)
	}
	for _, p := range d.Posts {
		ex("INSERT INTO post VALUES (?,?,?,?,?,?,?)", p.ID, p.AuthorID, p.Title, p.Slug, p.Excerpt, p.Status, p.PublishedAt.Format("2006-01-02 15:04:05"))
	}
	for _, pt := range d.PostTags {
		ex("INSERT INTO post_tag VALUES (?,?)", pt[0], pt[1])
	}
	ex("COMMIT")
	ex("ANALYZE")
}
