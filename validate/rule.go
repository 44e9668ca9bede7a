package validate

import (
	"fmt"
	"strings"
)

// A Rule is one requirement as written: its name, and what follows the equals
// sign.
type Rule struct {
	Name  string
	Param string
}

// Rules are the requirements on one value, in order. Those after one named
// "each" concern the items of the value.
type Rules []Rule

// ruleNames tells which rules take a parameter.
var ruleNames = map[string]struct{ param, optional bool }{
	"above":       {param: true},
	"below":       {param: true},
	"each":        {},
	"email":       {},
	"hostname":    {},
	"int_list":    {},
	"ip":          {},
	"len":         {param: true},
	"max":         {param: true},
	"min":         {param: true},
	"multiple_of": {param: true},
	"not_pattern": {param: true},
	"one_of":      {param: true},
	"pattern":     {param: true},
	"required":    {},
	"single_line": {},
	"slug":        {},
	"unique":      {},
	"url":         {param: true, optional: true},
	"uuid":        {},
}

// Parse reads the text of a validate tag. The rules are
//
//	required         given, and neither empty nor only spaces
//	min=3, max=9     characters of a string, items of a list or map,
//	                 value of a number or time.Duration
//	len=5            exactly so many characters or items
//	above=0, below=1 value of a number, the bound itself excluded
//	multiple_of=5    of a whole number
//	one_of=a|b|c     one of these, for strings and whole numbers
//	pattern=^x{1,3}$ matches the regular expression; it takes the rest of the
//	                 tag, commas included
//	not_pattern=…    does not match it; it takes the rest of the tag too
//	int_list         whole numbers with commas between
//	email            an address as [Email] accepts it
//	url, url=ftp     a URL with scheme http or https, or those given, by |
//	hostname, ip     see [Hostname] and [IP]
//	slug, uuid       see [Slug] and [UUID]
//	single_line      no line ends or control characters
//	unique           no item of the list twice
//	each             the rules that follow are for the items
//
// and those made known by [Register]. A tag "-" or "" has no rules. An unknown
// rule, a missing or an idle parameter is an error.
func Parse(tag string) (Rules, error) {
	if tag == "-" {
		return nil, nil
	}
	var rules Rules
	for rest := tag; rest != ""; {
		var text string
		if begin := strings.TrimSpace(rest); strings.HasPrefix(begin, "pattern=") || strings.HasPrefix(begin, "not_pattern=") {
			text, rest = rest, ""
		} else {
			var more bool
			if text, rest, more = strings.Cut(rest, ","); more && rest == "" {
				return nil, fmt.Errorf("validate: the tag %q ends with a comma", tag)
			}
		}
		name, param, hasParam := strings.Cut(strings.TrimSpace(text), "=")
		known, ok := ruleNames[name]
		if !ok {
			custom, found := lookup(name)
			if !found {
				return nil, fmt.Errorf("validate: there is no rule %q; %s", name, suggestion(name))
			}
			known.param, known.optional = custom.Param, custom.Param
		}
		switch {
		case hasParam && !known.param:
			return nil, fmt.Errorf("validate: the rule %q takes no parameter", name)
		case param == "" && known.param && !known.optional:
			return nil, fmt.Errorf("validate: the rule %q needs a parameter, as in %q", name, name+"=…")
		}
		rules = append(rules, Rule{Name: name, Param: param})
	}
	return rules, nil
}

// Get returns the parameter of the first rule with this name, and whether there
// is one. The rules for items are not searched.
func (r Rules) Get(name string) (param string, ok bool) {
	own, _ := r.split()
	for _, rule := range own {
		if rule.Name == name {
			return rule.Param, true
		}
	}
	return "", false
}

// Each returns the rules for the items.
func (r Rules) Each() Rules {
	_, each := r.split()
	return each
}

// String writes the rules as a tag that [Parse] reads.
func (r Rules) String() string {
	parts := make([]string, len(r))
	for i, rule := range r {
		parts[i] = rule.Name
		if rule.Param != "" {
			parts[i] += "=" + rule.Param
		}
	}
	return strings.Join(parts, ",")
}

func (r Rules) split() (own, each Rules) {
	for i, rule := range r {
		if rule.Name == "each" {
			return r[:i], r[i+1:]
		}
	}
	return r, nil
}

// suggestion names the rules of other validators that have another name here,
// and else lists what there is.
func suggestion(name string) string {
	switch name {
	case "gte":
		return `say "min"`
	case "lte":
		return `say "max"`
	case "gt":
		return `say "above"`
	case "lt":
		return `say "below"`
	case "oneof":
		return `say "one_of=a|b"`
	case "dive":
		return `say "each"`
	case "omitempty":
		return "leave it out: an empty string or nil pointer passes unless required"
	case "regexp", "regex":
		return `say "pattern=…"`
	}
	return "see validate.Parse for the list"
}
