package orm

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

type zoneKey struct{}

// zonesUsed spares programs without zones the look into each context.
var zonesUsed atomic.Bool

// WithZone returns a context whose queries look at times as the clocks of a zone show them: in
// lookups such as created__date and created__hour, and in Extract, Trunc and Dates without a zone of
// their own. Each request may have the zone of its user. Without one it is UTC. A query can have
// one by [Query.InZone], which counts more.
//
// The zone has the name of one in the IANA database, such as time.LoadLocation returns.
func WithZone(ctx context.Context, zone *time.Location) context.Context {
	zonesUsed.Store(true)
	return context.WithValue(ctx, zoneKey{}, zone)
}

// InZone makes the query look at times as the clocks of a zone show them; see [WithZone].
func (s *Query[P]) InZone(zone *time.Location) *Query[P] { return typed[P](s.use().inZone(zone)) }

// InZone is [Query.InZone].
func (s AnySet) InZone(zone *time.Location) AnySet { return AnySet{s.use().inZone(zone)} }

func (q *query) inZone(zone *time.Location) *query {
	d := q.derive()
	if d.zone = zone; zone != nil {
		if err := checkZone(zone); err != nil {
			d.fail(err)
		}
	}
	return d
}

func checkZone(zone *time.Location) error {
	if zone == time.Local {
		return fmt.Errorf("orm: the local zone of this machine has no name that databases know; take one from time.LoadLocation")
	}
	if _, err := time.LoadLocation(zone.String()); err != nil {
		return fmt.Errorf("orm: %w; databases know the zones of the IANA database by their names", err)
	}
	return nil
}

// zoned is the query in the zone of the context, if it has none of its own.
func (q *query) zoned(ctx context.Context) *query {
	if q.zone != nil || !zonesUsed.Load() {
		return q
	}
	if zone, _ := ctx.Value(zoneKey{}).(*time.Location); zone != nil {
		return q.inZone(zone)
	}
	return q
}

// inZone takes over the zone of a query.
func (c *compiler) inZone(q *query) {
	if q.zone == nil {
		return
	}
	if q.rare().err != nil {
		c.fail(q.rare().err)
	}
	c.zone = q.zone
}

// zoneName is the zone in which times are looked at.
func (c *compiler) zoneName() string { return zoneOr(c.zone).String() }

func zoneOr(zone *time.Location) *time.Location {
	if zone == nil {
		return time.UTC
	}
	return zone
}

// secondsOfDay reads a time of day as the lookup "time" compares it.
func secondsOfDay(v any, zone *time.Location) (any, error) {
	var at TimeOfDay
	switch v := v.(type) {
	case string:
		var err error
		if at, err = ParseTimeOfDay(v); err != nil {
			return nil, err
		}
	case TimeOfDay:
		at = v
	case time.Time:
		at = TimeOfDayOf(v.In(zone))
	default:
		return nil, fmt.Errorf("a time of day such as 15:04:05 is needed, not a %T", v)
	}
	return int64(at.SinceMidnight() / time.Second), nil
}
