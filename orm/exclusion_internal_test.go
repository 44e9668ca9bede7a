package orm

import (
	"reflect"
	"testing"
	"time"
)

type meeting struct {
	Model
	Room  int
	From  time.Time
	Until time.Time
}

func TestExclusionMistakes(t *testing.T) {
	t.Parallel()
	m := buildInfo(reflect.TypeFor[meeting]())
	p := (*meeting)(m.names.root.base)
	for _, def := range []ExclusionDef{
		Exclude("bad\"name").Over(&p.Room, "="),
		Exclude("none"),
		Exclude("operator").Over(&p.Room, "; --"),
		Exclude("operator").Over(&p.Room, ""),
		Exclude("kind").Over(&p.Room, "=").Using("x y"),
		Exclude("period").Over(Period(&p.From, &p.Room), "&&"),
		Exclude("other").Over(&new(meeting).Room, "="),
	} {
		if _, err := m.exclusion(def); err == nil {
			t.Errorf("%+v: no error", def)
		}
	}
	index, err := m.exclusion(Exclude("fine").Over(&p.Room, "=").Over(Period(&p.From, &p.Until), "-|-"))
	if err != nil || index.Columns[1].Expr != `tstzrange("from", "until")` || !index.Excludes() {
		t.Error(index, err)
	}
}
