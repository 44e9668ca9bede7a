package session

import "slices"

// FlashMessage is a message for the next page the visitor sees.
type FlashMessage struct {
	Category string // for example "info", "success", "warning", "error"
	Text     string
}

// flash is a message and whether this request has shown it. Shown messages
// stay until the request ends, so that two parts of a page can both ask.
type flash struct {
	FlashMessage
	shown bool
	added bool // by this request
}

func (f flash) unread() bool { return !f.shown }

// Flash keeps a message for the next page, in the order of the calls.
func (s *Session) Flash(category, text string) {
	s.flashes = append(s.flashes, flash{FlashMessage: FlashMessage{Category: category, Text: text}, added: true})
	s.SetModified()
}

// Flashes returns the messages of the given categories, of all if none is
// given, the oldest first. They are gone for the next request; messages of
// other categories are kept until something asks for them.
func (s *Session) Flashes(categories ...string) []FlashMessage {
	s.accessed = true
	var messages []FlashMessage
	for i := range s.flashes {
		f := &s.flashes[i]
		if len(categories) > 0 && !slices.Contains(categories, f.Category) {
			continue
		}
		if !f.shown {
			f.shown = true
			s.note()
		}
		messages = append(messages, f.FlashMessage)
	}
	return messages
}

// forgetFlashes drops the older half of the messages and reports whether there
// was one: a client that never shows a page must not fill the cookie with them.
func (s *Session) forgetFlashes() bool {
	n := len(s.flashes) / 2
	s.flashes = s.flashes[n:]
	return n > 0
}
