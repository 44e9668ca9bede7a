package db

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/migrate"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	step := migrate.Step{App: "blog", Name: "0002_x"}
	for _, test := range []struct {
		live bool
		want string
	}{
		{false, "Apply blog.0002_x … done in 1.5s\n" +
			"Undo blog.0002_x … \n    gave way (attempt 1 of 20, the next in 500ms), for its tables are held by\n        process 7\ndone in 2s\n" +
			"Apply blog.0002_x … done by another process\nApply blog.0002_x … failed\n"},
		{true, "Apply blog.0002_x … \rApply blog.0002_x … 0s\rApply blog.0002_x … done in 1.5s\x1b[K\n" +
			"Undo blog.0002_x … \r" + "Undo blog.0002_x … 0s\n    gave way (attempt 1 of 20, the next in 500ms), for its tables are held by\n        process 7\nUndo blog.0002_x … \rUndo blog.0002_x … done in 2s\x1b[K\n" +
			"Apply blog.0002_x … \rApply blog.0002_x … done by another process\x1b[K\nApply blog.0002_x … \rApply blog.0002_x … failed\x1b[K\n"},
	} {
		var out bytes.Buffer
		p := &progress{out: &out, live: test.live}
		second := func() {
			if test.live {
				p.start = time.Now()
				p.show(p.stop)
			}
		}
		p.event(migrate.Event{Step: step})
		second()
		p.event(migrate.Event{Step: step, Done: true, Elapsed: 1500 * time.Millisecond})
		undone := step
		undone.Backward = true
		p.event(migrate.Event{Step: undone})
		second()
		p.blocked(migrate.Blocked{Step: step, Attempt: 1, Of: 20, Pause: 500 * time.Millisecond, By: []string{"process 7"}})
		p.event(migrate.Event{Step: undone, Done: true, Elapsed: 2 * time.Second})
		p.event(migrate.Event{Step: step})
		p.event(migrate.Event{Step: step, Done: true, Skipped: true})
		p.event(migrate.Event{Step: step})
		p.failed()
		p.failed()
		if diff := cmp.Diff(test.want, out.String()); diff != "" {
			t.Errorf("live %v:\n%s", test.live, diff)
		}
	}
}
