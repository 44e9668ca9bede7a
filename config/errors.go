package config

import (
	"fmt"
	"strings"
)

// Error is all that is wrong with a program's settings.
type Error struct {
	Problems []Problem
}

// Error describes the only problem in a line, several in a line each.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return "config: " + e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "config: %d settings are wrong:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// Problem is one setting that is wrong or unknown. It shows no secret.
type Problem struct {
	Key     string `json:"key,omitempty"`    // "session.lifetime"; empty if a whole file is wrong
	Source  string `json:"source,omitempty"` // "environment variable RETORT_ADDR", "retort.toml:3", "code"
	Text    string `json:"text,omitempty"`   // what was found there
	Message string `json:"message"`          // what is wrong with it, as in "must be true or false"
}

// String writes the problem in a line, its place first.
func (p Problem) String() string {
	var b strings.Builder
	if p.Source != "" {
		b.WriteString(p.Source + ": ")
	}
	if p.Key != "" && !strings.HasSuffix(p.Source, " "+p.Key) {
		b.WriteString(p.Key + " ")
	}
	if p.Text != "" {
		fmt.Fprintf(&b, "is %q, ", shorten(p.Text))
	}
	b.WriteString(p.Message)
	return b.String()
}

// shorten keeps messages readable when a whole file landed in a variable.
func shorten(text string) string {
	const limit = 80
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + "…"
}
