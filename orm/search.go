package orm

import (
	"regexp"
	"strings"
	"unicode"
)

// Search is true if the words of a query are found in texts, as people type them in a
// search box: all of the words; with "or" between two, one of them; a "quoted phrase"
// as it is; and none of those with a minus before.
//
//	orm.Search(`go "web framework" -php`, &p.Title, &p.Body)
//
// Words are whole words in any case of letters, on every database: PostgreSQL finds them
// by its text search in the configuration "simple", which an index on
// to_tsvector('simple', …) serves; SQLite and MySQL look at each row that the other
// conditions leave. A query without words finds nothing.
func Search(query string, fields ...any) Cond {
	terms := ParseSearch(query)
	if len(terms.groups) == 0 && len(terms.without) == 0 {
		return Or()
	}
	return Cond{&search{call: *newCall("search", searched(fields), query), terms: terms}}
}

// SearchRank is how well texts meet a query of [Search], for an order: the greater the
// better.
func SearchRank(query string, fields ...any) Expr {
	return Expr{&searchRank{search{call: *newCall("search_rank", searched(fields), query), terms: ParseSearch(query)}}}
}

// searched is the texts of several fields as one.
func searched(fields []any) Expr {
	var parts []any
	for i, field := range fields {
		if i > 0 {
			parts = append(parts, " ")
		}
		parts = append(parts, F(field))
	}
	return Concat(parts...)
}

// SearchTerms is a query of [Search], taken apart.
type SearchTerms struct {
	groups  [][]string // one of each group must be there
	without []string
}

// maxSearchTerms is how many words of a query count.
const maxSearchTerms = 50

// ParseSearch takes a query of [Search] apart; it is for dialects. No text is wrong:
// what makes no sense is taken for words.
func ParseSearch(query string) SearchTerms {
	var s SearchTerms
	or := false
	for rest := query; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" || len(s.groups)+len(s.without) == maxSearchTerms {
			return s
		}
		not := strings.HasPrefix(rest, "-")
		rest = strings.TrimPrefix(rest, "-")
		term := ""
		quoted := strings.HasPrefix(rest, `"`)
		if quoted {
			term, rest, _ = strings.Cut(rest[1:], `"`)
		} else {
			end := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
			if end < 0 {
				end = len(rest)
			}
			term, rest = rest[:end], rest[end:]
		}
		if !quoted && !not && strings.EqualFold(term, "or") {
			or = len(s.groups) > 0
			continue
		}
		term = strings.Join(searchWords(term), " ")
		switch {
		case term == "":
		case not:
			s.without = append(s.without, term)
		case or:
			s.groups[len(s.groups)-1] = append(s.groups[len(s.groups)-1], term)
		default:
			s.groups = append(s.groups, []string{term})
		}
		or = false
	}
}

// searchWords are the words of a text, folded to one case.
func searchWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
}

// Hits counts how often the words of the query are in a text; it is 0 if the text does
// not meet the query.
func (s SearchTerms) Hits(text string) int {
	words := " " + strings.Join(searchWords(text), " ") + " "
	for _, term := range s.without {
		if strings.Contains(words, " "+term+" ") {
			return 0
		}
	}
	hits := 0
	for _, group := range s.groups {
		found := 0
		for _, term := range group {
			found += strings.Count(words, " "+term+" ")
		}
		if found == 0 {
			return 0
		}
		hits += found
	}
	return max(hits, 1)
}

// search is a condition on words. A database that has no function for it gets regular
// expressions.
type search struct {
	call
	terms SearchTerms
}

func (e *search) write(c *compiler) {
	if spelling, err := c.dialect.Function(e.f); spelling != "" || err != nil {
		e.call.write(c)
		return
	}
	e.matches().write(c)
}

func (e *search) matches() expr {
	all := &logic{}
	for _, group := range e.terms.groups {
		any := &logic{or: true}
		for _, term := range group {
			any.kids = append(any.kids, e.has(term))
		}
		all.kids = append(all.kids, any)
	}
	for _, term := range e.terms.without {
		all.kids = append(all.kids, &not{e.has(term)})
	}
	return all
}

// has is a regular expression that finds a term, whatever is between its words.
func (e *search) has(term string) expr {
	words := strings.Fields(term)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	return newCall("iregex", Expr{e.args[0]}, `\b`+strings.Join(words, `\W+`)+`\b`)
}

func (e *search) mayBeNull(*compiler) bool { return false }

// searchRank is the rank, by a function or else by how many of the words are there.
type searchRank struct{ search }

func (e *searchRank) write(c *compiler) {
	if spelling, err := c.dialect.Function(e.f); spelling != "" || err != nil {
		e.call.write(c)
		return
	}
	c.text("(0")
	for _, group := range e.terms.groups {
		for _, term := range group {
			c.text(" + CASE WHEN ")
			e.has(term).write(c)
			c.text(" THEN 1 ELSE 0 END")
		}
	}
	c.text(")")
}
