// Package ormgormlite is package orm's GORM over SQLite: its driver and
// modernc's register the same name and cannot be linked together.
package ormgormlite

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/retort-web/retort/bench/internal/gormstore"
	"github.com/retort-web/retort/bench/internal/kit"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkSQLite(b *testing.B) {
	src := os.Getenv("BENCH_SQLITE")
	if src == "" {
		b.Skip("BENCH_SQLITE is not set")
	}
	data, err := os.ReadFile(src)
	kit.Must(err)
	file := b.TempDir() + "/db.sqlite"
	kit.Must(os.WriteFile(file, data, 0o644))
	db, err := gorm.Open(sqlite.Open("file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"), gormstore.Config())
	kit.Must(err)
	sq, err := db.DB()
	kit.Must(err)
	sq.SetMaxOpenConns(1)
	s := &gormstore.Store{DB: db}
	ctx := context.Background()
	comment := gormstore.Comment{PostID: 7, Name: "Ada Lovelace", Email: "ada@example.org", Body: "The Analytical Engine weaves algebraical patterns just as the loom weaves flowers and leaves."}
	for _, k := range []struct {
		name string
		f    func() error
	}{
		{"select1", func() error { var w gormstore.World; return s.World(ctx, &w) }},
		{"select1x20", func() error { var ws [20]gormstore.World; return s.Worlds(ctx, ws[:]) }},
		{"list50join", func() error {
			var ps []gormstore.Post
			return s.DB.WithContext(ctx).Joins("Author").Where("status = ?", "published").Order("post.id DESC").Limit(50).Find(&ps).Error
		}},
		{"page50tags", func() error { _, err := s.Page(ctx); return err }},
		{"insert1", func() error { c := comment; return s.Create(ctx, &c) }},
		{"update1", func() error {
			return s.DB.WithContext(ctx).Model(&gormstore.World{ID: kit.RandID()}).Update("randomnumber", kit.RandID()).Error
		}},
		{"stream10000", func() error {
			rows, err := s.DB.WithContext(ctx).Model(&gormstore.World{}).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var w gormstore.World
				if err := s.DB.ScanRows(rows, &w); err != nil {
					return err
				}
			}
			return rows.Err()
		}},
		{"bulk1000", func() error {
			cs := make([]gormstore.Comment, 1000)
			for i := range cs {
				cs[i] = comment
			}
			return s.DB.WithContext(ctx).CreateInBatches(&cs, 1000).Error
		}},
	} {
		b.Run(k.name+"/gorm", func(b *testing.B) {
			db.Exec("DELETE FROM comment")
			for range 5 {
				kit.Must(k.f())
			}
			b.ReportAllocs()
			b.ResetTimer()
			c := cpu()
			for range b.N {
				kit.Must(k.f())
			}
			b.StopTimer()
			b.ReportMetric(float64((cpu()-c).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
		})
	}
}
