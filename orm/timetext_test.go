package orm_test

import (
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

func TestFormatTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 5*3600+1800)
	for _, at := range []time.Time{
		{},
		time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC),
		time.Date(2026, 12, 31, 23, 59, 59, 999999999, zone),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-44, 3, 15, 12, 0, 0, 0, time.UTC),
		time.Unix(-1, 1000),
	} {
		text := orm.FormatTime(at)
		if want := at.UTC().Format(orm.TimeLayout); text != want {
			t.Errorf("%v is %q, want %q", at, text, want)
		}
		if at.Year() >= 0 && at.Year() <= 9999 {
			if read, err := orm.ParseTime(text); err != nil || !read.Equal(at.Truncate(time.Microsecond)) {
				t.Errorf("%q is read as %v: %v", text, read, err)
			}
		}
	}
}
