package template

import (
	"sync"
	"time"
)

// reader is how things are shown to whom the page is for. Tags change it for
// a part of the page.
type reader struct {
	own  *time.Location // of the render; nil for none
	zone *time.Location // dates are shown in; nil for their own
}

// local is a time in the zone that dates are shown in.
func (r *reader) local(t time.Time) time.Time {
	if r.zone == nil {
		return t
	}
	return t.In(r.zone)
}

// zones are those found by their names, as finding one reads a file.
var zones sync.Map

// wantZone reads a time zone: its name, or a *time.Location of the program.
func wantZone(what string, v value) *time.Location {
	if v.kind == kindGo {
		if zone, ok := v.goValue().Interface().(*time.Location); ok && zone != nil {
			return zone
		}
	}
	name := wantString(what, v)
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		panic(runtimeError("%s: no time zone is named '%s'", what, name))
	}
	zones.Store(name, zone)
	return zone
}

// applyTimezone shows dates in another zone; none is that of the render.
func applyTimezone(x *exec, v value) {
	if v.kind == kindNone {
		x.reader.zone = x.reader.own
		return
	}
	x.reader.zone = wantZone("timezone", v)
}

// applyLocaltime shows dates in the reader's zone, or as they are.
func applyLocaltime(x *exec, v value) {
	x.reader.zone = nil
	if v.truth() {
		x.reader.zone = x.reader.own
	}
}

// tagCurrentTimezone is the name of the zone that dates are shown in; none if
// each is shown in its own.
func tagCurrentTimezone(x *exec, _ *callArgs) value {
	if x.reader.zone == nil {
		return none
	}
	return stringValue(x.reader.zone.String())
}
