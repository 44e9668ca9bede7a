package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/closest"
)

// maxUnknown is how many unknown keys are named; the rest is counted.
const maxUnknown = 20

// checkNames finds keys and variables that no field has.
func (l *loader) checkNames() {
	known := make(map[string]bool, len(l.fields))
	keys := make([]string, len(l.fields))
	for i, f := range l.fields {
		known[f.key] = true
		keys[i] = f.key
	}
	var unknown []string
	for key := range l.file {
		if !known[key] && l.judges(key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for i, key := range unknown {
		e := l.file[key]
		if i == maxUnknown {
			message := fmt.Sprintf("%d more keys of the TOML files are no settings; are they the right files?", len(unknown)-i)
			l.problem(Problem{Message: message})
			break
		}
		message := "is not a setting" + didYouMean(e.key, "", keys)
		if l.hasSection(e.key) {
			message = "is a section; write its settings below [" + e.key + "]"
		}
		l.problem(Problem{Key: e.key, Source: e.source, Message: message})
	}
	l.checkVariables()
}

// judges reports whether a key that no field has is a mistake.
func (l *loader) judges(key string) bool {
	if s := l.options.Section; s != "" && !strings.HasPrefix(key, s+".") {
		return false
	}
	top, _, nested := strings.Cut(key, ".")
	for _, name := range l.options.Allow {
		switch {
		case name == key || strings.HasPrefix(key, name+"."):
			return false
		case name == "*" && nested && !l.hasSection(top):
			return false
		}
	}
	return true
}

func (l *loader) hasSection(name string) bool {
	return slices.ContainsFunc(l.fields, func(f *field) bool { return strings.HasPrefix(f.key, name+".") })
}

// checkVariables warns of variables with our prefix. They are no errors: the
// environment is shared, and a new variable must not stop an old program.
func (l *loader) checkVariables() {
	prefix := l.options.Prefix
	if s := l.options.Section; s != "" {
		prefix += variableName(s) + "_"
	}
	var names []string
	for _, f := range l.fields {
		names = append(names, f.env...)
	}
	sources := []map[string]variable{l.dotenv, l.environ}
	var unknown []string
	for _, from := range sources {
		for name := range from {
			if strings.HasPrefix(name, prefix) && !slices.Contains(names, name) && !slices.Contains(unknown, name) && !l.allowsVariable(name) {
				unknown = append(unknown, name)
			}
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := didYouMean(name, prefix, names)
		if hint == "" && slices.Contains(l.options.Allow, "*") {
			continue // of a section we do not know, most likely
		}
		for _, from := range sources {
			if v, ok := from[name]; ok {
				l.report.Warnings = append(l.report.Warnings, Problem{Key: name, Source: v.source, Message: "is not a setting" + hint})
			}
		}
	}
}

// allowsVariable reports whether a variable belongs to another part of the
// program, or names the file of a secret.
func (l *loader) allowsVariable(name string) bool {
	if base, ok := strings.CutSuffix(name, "_FILE"); ok {
		for _, f := range l.fields {
			if f.secret && slices.Contains(f.env, base) {
				return true
			}
		}
	}
	return slices.ContainsFunc(l.options.Allow, func(key string) bool {
		own := l.options.Prefix + variableName(key)
		return name == own || strings.HasPrefix(name, own+"_")
	})
}

func variableName(key string) string {
	return strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// didYouMean names the candidate that a name is a slip of, if there is one.
// What all begin with makes no two of them alike, so it is not compared.
func didYouMean(name, prefix string, candidates []string) string {
	best, least := "", max(1, (len(name)-len(prefix))/4)+1
	clean := func(s string) string {
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s, prefix)), "-", "_")
	}
	for _, c := range candidates {
		if d := closest.Distance(clean(name), clean(c)); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}
