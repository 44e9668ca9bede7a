package outage_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort/internal/outage"
)

func TestOneLineAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		logger := slog.New(slog.NewTextHandler(&text, nil))
		lines := func(want int) {
			t.Helper()
			if n := strings.Count(text.String(), "\n"); n != want {
				t.Errorf("%d lines, want %d:\n%s", n, want, &text)
			}
		}
		var log outage.Log
		log.Back(logger, "back")
		lines(0)
		for range 10_000 {
			log.Away(logger, "away", errors.New("refused"))
		}
		lines(1)
		time.Sleep(61 * time.Second)
		log.Away(logger, "away", errors.New("refused"))
		lines(2)
		log.Back(logger, "back")
		log.Back(logger, "back")
		lines(3)
		if !strings.Contains(text.String(), "requests=10001") || !strings.Contains(text.String(), "after=1m1s") {
			t.Errorf("the lines do not tell how long and how many:\n%s", &text)
		}
		for range 100 { // it comes and goes
			log.Away(logger, "away", errors.New("refused"))
			log.Back(logger, "back")
		}
		lines(3)
	})
}
