package template

import (
	"context"
	"strings"
)

// message is what one of Django's tags translate and blocktranslate says.
type message struct {
	singular, plural string
	names            []string // of the variables in the text
	counted          string   // the variable that chooses the form
	noop             bool     // marks the text for translation only
	trusted          bool     // the text is the template's own
}

// translate gives a text in the reader's language. A percent sign is doubled in
// the message, as tools that collect messages write it down.
func (m *message) translate(x *exec, a *callArgs) value {
	v := a.pos[0]
	s := v.text()
	if s != "" && !m.noop {
		s = strings.ReplaceAll(s, "%", "%%")
		s = strings.ReplaceAll(x.message(contextOf(a.pos[1]), s, "", 0), "%%", "%")
	}
	return textValue(s, (m.trusted || v.kind == kindSafe) && x.caller.autoescapeOn())
}

// translateBlock gives a text with variables in the reader's language. A
// translation whose variables are not those of the text is not used: a slip of
// a translator must not cost the page.
func (m *message) translateBlock(x *exec, a *callArgs) value {
	f := x.caller
	number := 0
	vars := make(map[string]string, len(a.kw))
	for _, k := range a.kw {
		vars[k.name] = f.htmlText(k.v)
		if k.name == m.counted {
			number = wantCount(k)
		}
	}
	original := m.singular
	if m.counted != "" && number != 1 {
		original = m.plural
	}
	text, ok := filled(x.message(contextOf(a.pos[0]), m.singular, m.plural, number), vars)
	if !ok {
		text, _ = filled(original, vars)
	}
	x.allowBytes(len(text))
	return textValue(text, f.autoescapeOn())
}

// wantCount reads the number that chooses the form of a text.
func wantCount(k keyword) int {
	if _, ok := k.v.plain().asFloat(); ok {
		return count(k.v)
	}
	if k.v.isUndefined() {
		k.v.undefined().fail()
	}
	panic(runtimeError("blocktranslate: the count '%s' must be a number, not '%s'", k.name, k.v.typeName()))
}

// filled puts the variables into a text; ok is false if it names others.
func filled(text string, vars map[string]string) (out string, ok bool) {
	if strings.IndexByte(text, '%') < 0 {
		return text, true
	}
	var sb strings.Builder
	for {
		before, rest, more := strings.Cut(text, "%")
		sb.WriteString(before)
		if !more {
			return sb.String(), true
		}
		if after, doubled := strings.CutPrefix(rest, "%"); doubled {
			sb.WriteByte('%')
			text = after
			continue
		}
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")s")
		v, known := vars[name]
		if !strings.HasPrefix(rest, "(") || !closed || !known {
			return "", false
		}
		sb.WriteString(v)
		text = after
	}
}

// messageContext tells texts apart that are written alike; given is false for
// most, which have none.
type messageContext struct {
	text  string
	given bool
}

func contextOf(v value) messageContext {
	if v.kind == kindNone {
		return messageContext{}
	}
	return messageContext{v.text(), true}
}

// message asks the translator, if there is one, for a text, or with a plural
// for that of a number.
func (x *exec) message(where messageContext, singular, plural string, n int) string {
	ctx := x.ctx()
	var t Translator = untranslated{}
	if x.engine.options.Translator != nil {
		t = x.engine.options.Translator
	}
	switch {
	case plural != "" && where.given:
		return t.NPGettext(ctx, where.text, singular, plural, n)
	case plural != "":
		return t.NGettext(ctx, singular, plural, n)
	case where.given:
		return t.PGettext(ctx, where.text, singular)
	}
	return t.Gettext(ctx, singular)
}

// untranslated gives every message back.
type untranslated struct{}

func (untranslated) Gettext(_ context.Context, message string) string { return message }

func (untranslated) NGettext(_ context.Context, singular, plural string, n int) string {
	if n == 1 {
		return singular
	}
	return plural
}

func (untranslated) PGettext(_ context.Context, _, message string) string { return message }

func (u untranslated) NPGettext(ctx context.Context, _, singular, plural string, n int) string {
	return u.NGettext(ctx, singular, plural, n)
}
