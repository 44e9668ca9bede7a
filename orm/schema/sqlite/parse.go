package sqlite

import (
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// definition is a column, or a constraint of the whole table, in the text that
// created it.
type definition struct {
	name       string
	constraint bool
	words      []string // tokens after the name; a pair of parentheses is one
	check      string   // of a constraint
}

// parseTable reads the definitions of a CREATE TABLE that SQLite has accepted. What
// it does not know it leaves out.
func parseTable(sql string) []definition {
	open := -1
	words := tokens(sql)
	for i, word := range words {
		if strings.HasPrefix(word, "(") {
			open = i
			break
		}
	}
	if open < 0 {
		return nil
	}
	var list []definition
	for _, part := range splitList(words[open]) {
		if d, ok := parseDefinition(tokens(part)); ok {
			list = append(list, d)
		}
	}
	return list
}

func parseDefinition(words []string) (definition, bool) {
	if len(words) < 2 {
		return definition{name: unquoteName(strings.Join(words, ""))}, len(words) == 1
	}
	switch strings.ToUpper(words[0]) {
	case "CONSTRAINT":
		if len(words) < 3 {
			return definition{}, false
		}
		d := definition{name: unquoteName(words[1]), constraint: true, words: words[2:]}
		d.check = argument(d.words, "CHECK")
		return d, true
	case "CHECK", "PRIMARY", "UNIQUE", "FOREIGN":
		return definition{constraint: true, words: words, check: argument(words, "CHECK")}, true
	}
	return definition{name: unquoteName(words[0]), words: words[1:]}, true
}

// describe adds to a column what only the text tells.
func (d definition) describe(c *schema.Column) {
	for i, word := range d.words {
		if strings.EqualFold(word, "COLLATE") && i+1 < len(d.words) {
			c.Collation = unquoteName(d.words[i+1])
		}
	}
	c.Generated = argument(d.words, "AS")
	if check := argument(d.words, "CHECK"); strings.HasPrefix(strings.ToLower(check), "json_valid(") && c.Type == schema.Text {
		c.Type = schema.JSON
	}
}

// argument is what stands in the parentheses after a keyword.
func argument(words []string, keyword string) string {
	for i, word := range words {
		if strings.EqualFold(word, keyword) && i+1 < len(words) && strings.HasPrefix(words[i+1], "(") {
			return withoutParentheses(words[i+1])
		}
	}
	return ""
}

// indexParts are the columns and expressions of a CREATE INDEX.
func indexParts(sql string) []string {
	for _, word := range tokens(sql) {
		if strings.HasPrefix(word, "(") {
			return splitList(word)
		}
	}
	return nil
}

// indexCondition is the WHERE of a CREATE INDEX.
func indexCondition(sql string) string {
	start := 0
	for _, word := range tokens(sql) {
		start += strings.Index(sql[start:], word) + len(word)
		if strings.EqualFold(word, "WHERE") {
			return strings.TrimSpace(sql[start:])
		}
	}
	return ""
}

// splitList splits what is in a pair of parentheses at its commas.
func splitList(list string) []string {
	inside := withoutParentheses(list)
	var parts []string
	start := 0
	walk(inside, func(from, to int) {
		if inside[from:to] == "," {
			parts = append(parts, inside[start:from])
			start = to
		}
	})
	return append(parts, inside[start:])
}

// tokens splits SQL into words, quoted names and texts, and pairs of parentheses
// with all that is in them. Space and comments are left out.
func tokens(sql string) []string {
	var list []string
	walk(sql, func(from, to int) { list = append(list, sql[from:to]) })
	return list
}

// walk calls f for each token.
func walk(sql string, f func(from, to int)) {
	for i := 0; i < len(sql); {
		end := tokenEnd(sql, i)
		if !isSpace(sql[i]) && !strings.HasPrefix(sql[i:], "--") && !strings.HasPrefix(sql[i:], "/*") {
			f(i, end)
		}
		i = end
	}
}

// tokenEnd is where the token, space or comment that begins at i ends.
func tokenEnd(sql string, i int) int {
	rest := sql[i:]
	switch c := sql[i]; {
	case strings.HasPrefix(rest, "--"):
		return i + before(rest, "\n")
	case strings.HasPrefix(rest, "/*"):
		return i + before(rest, "*/")
	case c == '\'' || c == '"' || c == '`' || c == '[':
		return quotedEnd(sql, i)
	case c == '(':
		depth := 0
		for j := i; j < len(sql); {
			switch sql[j] {
			case '(':
				depth++
				j++
			case ')':
				depth--
				j++
			default:
				j = atomEnd(sql, j)
			}
			if depth == 0 {
				return j
			}
		}
		return len(sql)
	}
	return atomEnd(sql, i)
}

// atomEnd is tokenEnd for what has no parentheses.
func atomEnd(sql string, i int) int {
	if c := sql[i]; !isWord(c) {
		if strings.IndexByte("'\"`[", c) >= 0 || strings.HasPrefix(sql[i:], "--") || strings.HasPrefix(sql[i:], "/*") {
			return tokenEnd(sql, i)
		}
		return i + 1
	}
	j := i
	for j < len(sql) && isWord(sql[j]) {
		j++
	}
	return j
}

// before is the length of s up to the end of mark, or of all.
func before(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

// quotedEnd finds the closing quote; a doubled one stands for itself.
func quotedEnd(sql string, i int) int {
	quote := sql[i]
	if quote == '[' {
		quote = ']'
	}
	for j := i + 1; j < len(sql); j++ {
		if sql[j] != quote {
			continue
		}
		if j+1 < len(sql) && sql[j+1] == quote && quote != ']' {
			j++
			continue
		}
		return j + 1
	}
	return len(sql)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c == '.' || c >= 0x80
}

// withoutParentheses takes off the pair that encloses all of the text.
func withoutParentheses(sql string) string {
	sql = strings.TrimSpace(sql)
	if strings.HasPrefix(sql, "(") && tokenEnd(sql, 0) == len(sql) && strings.HasSuffix(sql, ")") {
		return strings.TrimSpace(sql[1 : len(sql)-1])
	}
	return sql
}

func unquoteName(name string) string {
	if len(name) < 2 {
		return name
	}
	switch first := name[0]; first {
	case '"', '`', '\'':
		quote := string(first)
		return strings.ReplaceAll(strings.TrimSuffix(name[1:], quote), quote+quote, quote)
	case '[':
		return strings.TrimSuffix(name[1:], "]")
	}
	return name
}
