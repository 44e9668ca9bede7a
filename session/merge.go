package session

import (
	"slices"
)

// Merge puts what this request has changed on top of what another one saved
// meanwhile: data is what the store keeps now, see [Session.Revision]. Values
// that only the other has changed are its, flash messages of both stay. A session
// that was cleared takes nothing over.
func (s *Session) Merge(data []byte) error {
	latest, err := Restore(s.storedID, data)
	if err != nil {
		return err
	}
	s.revision = latest.revision
	if s.cleared {
		return nil
	}
	for name := range s.changed {
		if value, ok := s.values[name]; ok {
			if latest.values == nil {
				latest.values = make(map[string][]byte)
			}
			latest.values[name] = value
		} else {
			delete(latest.values, name)
		}
	}
	s.values = latest.values
	s.mergeFlashes(latest.flashes)
	if s.Permanent == s.wasPermanent {
		s.Permanent = latest.Permanent
	}
	if s.lifetime == s.wasLifetime {
		s.lifetime = latest.lifetime
	}
	// CSRF tokens given out by the other belong to this ID.
	s.tokens = s.tokens || latest.tokens && s.id == s.storedID
	return nil
}

// mergeFlashes takes the messages that are kept now, without those that this
// request has shown, and adds its own.
func (s *Session) mergeFlashes(latest []flash) {
	merged := latest
	for _, f := range s.flashes {
		if f.shown && !f.added {
			if i := slices.IndexFunc(merged, func(l flash) bool { return l.FlashMessage == f.FlashMessage }); i >= 0 {
				merged = slices.Delete(merged, i, i+1)
			}
		}
	}
	for _, f := range s.flashes {
		if f.added && f.unread() {
			merged = append(merged, f)
		}
	}
	s.flashes = merged
}
