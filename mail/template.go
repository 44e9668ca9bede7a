package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Template makes a message from the app's templates of a name, "mail/welcome":
//
//	mail/welcome.subject.txt   the subject, one line
//	mail/welcome.txt           the text
//	mail/welcome.html          the HTML
//
// Text or HTML may be missing, and the subject if it is set afterwards. Templates
// see data and the functions of [retort.App.Rendered], of which url makes absolute
// addresses. To and the rest are the caller's to fill in.
func Template(ctx context.Context, name string, data any) (*Message, error) {
	e, err := of(ctx)
	if err != nil {
		return nil, err
	}
	m := new(Message)
	found := false
	for _, part := range []struct {
		ending string
		value  *string
	}{{".subject.txt", &m.Subject}, {".txt", &m.Text}, {".html", &m.HTML}} {
		text, err := e.app.Rendered(ctx, name+part.ending, data)
		if missing(err, name+part.ending) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = found || part.value != &m.Subject
		*part.value = text
	}
	if !found {
		return nil, fmt.Errorf("mail: there is no template %s.txt or %s.html; put one into the folder templates", name, name)
	}
	// A template may be laid out over several lines; a subject is one.
	m.Subject = strings.Join(strings.Fields(m.Subject), " ")
	return m, nil
}

// missing reports that the template itself does not exist, and not one that it
// includes or extends.
func missing(err error, name string) bool {
	return errors.Is(err, fs.ErrNotExist) && strings.Contains(err.Error(), "template "+name+":")
}
