package config

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Report tells where every setting comes from. It shows no secret and can be
// written as JSON.
type Report struct {
	Settings []Setting `json:"settings"`           // in the order of the fields
	Warnings []Problem `json:"warnings,omitempty"` // variables with our prefix that nothing reads
	Files    []string  `json:"files,omitempty"`    // that were read
}

// Setting is one field of the struct.
type Setting struct {
	Key     string   `json:"key"`               // "session.lifetime"
	Env     []string `json:"env"`               // variables that set it, the first one first
	Value   string   `json:"value"`             // hidden if secret
	Source  string   `json:"source"`            // "environment variable …", ".env:2", "retort.toml:3", "code" or "default"
	Default string   `json:"default,omitempty"` // from the tag
	Help    string   `json:"help,omitempty"`    // from the tag
	OneOf   []string `json:"one_of,omitempty"`  // the values allowed, if they are listed
	Secret  bool     `json:"secret,omitempty"`
}

func (r *Report) add(f *field, source string) {
	s := Setting{
		Key: f.key, Env: f.env, Value: f.masked(f.text()), Source: source, Help: f.help, OneOf: f.oneOf, Secret: f.secret,
	}
	if f.hasDefault {
		s.Default = f.masked(format(f.fallback))
	}
	r.Settings = append(r.Settings, s)
}

// Lookup returns the setting of a key.
func (r *Report) Lookup(key string) (Setting, bool) {
	for _, s := range r.Settings {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

// WriteText writes a table of the settings for people, and the warnings.
func (r *Report) WriteText(w io.Writer) error {
	rows := make([][3]string, len(r.Settings))
	var width [3]int
	for i, s := range r.Settings {
		rows[i] = [3]string{s.Key, s.display(), s.Source}
		for j, cell := range rows[i] {
			width[j] = max(width[j], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		line := pad(row[0], width[0]) + "  " + pad(row[1], width[1]) + "  " + pad(row[2], width[2]) + "  " + r.Settings[i].Help
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, p := range r.Warnings {
		b.WriteString("warning: " + p.String() + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// display is the value in one line, with control characters escaped.
func (s Setting) display() string {
	if s.Value == "" {
		return "-"
	}
	if strings.ContainsFunc(s.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Sprintf("%q", shorten(s.Value))
	}
	return shorten(s.Value)
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
