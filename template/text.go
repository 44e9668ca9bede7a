package template

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text as Python sees it: full case mappings, its line ends, its word wrap.

func special(r rune) *specialCase {
	if r < 0xdf {
		return nil
	}
	i := sort.Search(len(specialCases), func(i int) bool { return specialCases[i].letter >= r })
	if i < len(specialCases) && specialCases[i].letter == r {
		return &specialCases[i]
	}
	return nil
}

func upperCase(s string) string {
	if ascii(s) {
		return strings.ToUpper(s)
	}
	var sb strings.Builder
	for _, r := range s {
		if c := special(r); c != nil {
			sb.WriteString(c.upper)
		} else {
			sb.WriteRune(unicode.ToUpper(r))
		}
	}
	return sb.String()
}

func lowerCase(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	var sb strings.Builder
	for i, r := range s {
		switch r {
		case 'İ':
			sb.WriteString("i̇")
		case 'Σ':
			if finalSigma(s, i) {
				sb.WriteRune('ς')
			} else {
				sb.WriteRune('σ')
			}
		default:
			sb.WriteRune(unicode.ToLower(r))
		}
	}
	return sb.String()
}

// finalSigma reports whether the capital sigma at i ends a word. It looks a
// bounded number of marks ahead and back, so that no text makes it slow.
func finalSigma(s string, i int) bool {
	const most = 64
	cased := func(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }
	ignorable := func(r rune) bool {
		return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·’", r)
	}
	before := false
	for j, n := i, 0; j > 0 && n < most; n++ {
		r, w := utf8.DecodeLastRuneInString(s[:j])
		j -= w
		if cased(r) {
			before = true
			break
		}
		if !ignorable(r) {
			break
		}
	}
	if !before {
		return false
	}
	for j, n := i+len("Σ"), 0; j < len(s) && n < most; n++ {
		r, w := utf8.DecodeRuneInString(s[j:])
		j += w
		if ignorable(r) {
			continue
		}
		return !cased(r)
	}
	return true
}

func titleRune(r rune) string {
	if c := special(r); c != nil {
		return c.title
	}
	return string(unicode.ToTitle(r))
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	// The whole is lowered so that a final sigma sees the first letter.
	lower := lowerCase(s)
	_, skip := utf8.DecodeRuneInString(lower)
	if r == 'İ' {
		return titleRune(r) + lowerCase(s[n:])
	}
	return titleRune(r) + lower[skip:]
}

// titleCase is the string method title: letters after anything that has no
// case begin a word.
func titleCase(s string) string {
	var sb strings.Builder
	inside := false
	for i, r := range s {
		cased := unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
		switch {
		case !cased:
			sb.WriteRune(r)
		case inside && r == 'Σ':
			if finalSigma(s, i) {
				sb.WriteRune('ς')
			} else {
				sb.WriteRune('σ')
			}
		case inside:
			sb.WriteString(lowerCase(string(r)))
		default:
			sb.WriteString(titleRune(r))
		}
		inside = cased
	}
	return sb.String()
}

func swapCase(s string) string {
	var sb strings.Builder
	for i, r := range s {
		switch {
		case r == 'Σ' && finalSigma(s, i):
			sb.WriteRune('ς')
		case unicode.IsUpper(r):
			sb.WriteString(lowerCase(string(r)))
		case unicode.IsLower(r):
			sb.WriteString(upperCase(string(r)))
		default:
			sb.WriteRune(r)
		}
	}
	return sb.String()
}

func caseFold(s string) string {
	var sb strings.Builder
	for _, r := range s {
		if r >= 0x80 {
			i := sort.Search(len(foldings), func(i int) bool { return foldings[i].letter >= r })
			if i < len(foldings) && foldings[i].letter == r {
				sb.WriteString(foldings[i].folded)
				continue
			}
		}
		sb.WriteString(lowerCase(string(r)))
	}
	return sb.String()
}

func trimSet(s, chars string, left, right bool) string {
	if left {
		s = strings.TrimLeft(s, chars)
	}
	if right {
		s = strings.TrimRight(s, chars)
	}
	return s
}

// splitLines cuts at every line end Python knows; the last line needs none.
func splitLines(s string, keep bool) []string {
	var lines []string
	start := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if !(r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029) {
			i += n
			continue
		}
		end := i
		i += n
		if r == '\r' && i < len(s) && s[i] == '\n' {
			i++
		}
		if keep {
			end = i
		}
		lines = append(lines, s[start:end])
		start = i
	}
	if start < len(s) {
		lines = append(lines, s[start:])
	}
	return lines
}

// wrapLine breaks a line into lines of at most width characters, as Python's
// textwrap does with whitespace kept as it is.
func wrapLine(s string, width int, breakLong, hyphens bool) []string {
	chunks := wrapChunks([]rune(s), hyphens)
	blank := func(c []rune) bool {
		for _, r := range c {
			if !isSpace(r) {
				return false
			}
		}
		return true
	}
	var lines []string
	for len(chunks) > 0 {
		if len(lines) > 0 && blank(chunks[0]) {
			chunks = chunks[1:]
		}
		var line [][]rune
		used := 0
		for len(chunks) > 0 && used+len(chunks[0]) <= width {
			line = append(line, chunks[0])
			used += len(chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > width {
			switch {
			case breakLong:
				cut := width - used
				if hyphens {
					cut = hyphenCut(chunks[0], cut)
				}
				line = append(line, chunks[0][:cut])
				chunks[0] = chunks[0][cut:]
			case len(line) == 0:
				line = append(line, chunks[0])
				chunks = chunks[1:]
			}
		}
		if n := len(line); n > 0 && blank(line[n-1]) {
			line = line[:n-1]
		}
		if len(line) > 0 {
			var sb strings.Builder
			for _, c := range line {
				sb.WriteString(string(c))
			}
			lines = append(lines, sb.String())
		}
	}
	return lines
}

// hyphenCut moves the cut of a long word back to a hyphen, if there is one
// after something else.
func hyphenCut(word []rune, cut int) int {
	if len(word) <= cut {
		return cut
	}
	for i := cut - 1; i > 0; i-- {
		if word[i] == '-' {
			for _, r := range word[:i] {
				if r != '-' {
					return i + 1
				}
			}
			return cut
		}
	}
	return cut
}

func wrapSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// wrapChunks cuts a line into whitespace and unbreakable pieces of words.
func wrapChunks(s []rune, hyphens bool) [][]rune {
	var chunks [][]rune
	for i := 0; i < len(s); {
		j := i
		if wrapSpace(s[i]) {
			for j < len(s) && wrapSpace(s[j]) {
				j++
			}
		} else if hyphens {
			j = wordEnd(s, i)
		} else {
			for j < len(s) && !wrapSpace(s[j]) {
				j++
			}
		}
		chunks = append(chunks, s[i:j])
		i = j
	}
	return chunks
}

func wordPunctuation(r rune) bool { return isWord(r) || strings.ContainsRune(`!"'&.,?`, r) }

func letter(s []rune, i int) bool {
	return i >= 0 && i < len(s) && (s[i] == '_' || isWord(s[i]) && !unicode.IsDigit(s[i]))
}

// wordEnd finds where the piece that begins at i ends: behind a hyphen between
// letters, before or behind a dash between words, or at whitespace.
func wordEnd(s []rune, i int) int {
	dash := func(at int) int { // end of two or more hyphens before a word character
		end := at
		for end < len(s) && s[end] == '-' {
			end++
		}
		if end-at >= 2 && end < len(s) && isWord(s[end]) {
			return end
		}
		return -1
	}
	if i > 0 && wordPunctuation(s[i-1]) && s[i] == '-' {
		if end := dash(i); end > 0 {
			return end
		}
	}
	inDashes := -1 // up to here a run of hyphens is known not to be a dash
	for j := i + 1; ; j++ {
		if j >= len(s) || wrapSpace(s[j]) {
			return j
		}
		if s[j] != '-' {
			continue
		}
		// A hyphen at j, with the word s[i:j] before it.
		if j >= i+1 && letter(s, j-1) && letter(s, j-2) || letter(s, j-1) && j >= 3 && s[j-2] == '-' && wordPunctuation(s[j-3]) || hyphenBefore(s, j) {
			if letter(s, j+1) && (letter(s, j+2) || j+2 < len(s) && s[j+2] == '-' && letter(s, j+3)) {
				return j + 1
			}
		}
		if j > inDashes && wordPunctuation(s[j-1]) {
			if dash(j) > 0 {
				return j
			}
			for inDashes = j; inDashes < len(s) && s[inDashes] == '-'; {
				inDashes++
			}
		}
	}
}

// hyphenBefore reports a letter, a hyphen and a word character right before
// the hyphen at j.
func hyphenBefore(s []rune, j int) bool {
	return j >= 3 && letter(s, j-3) && s[j-2] == '-' && wordPunctuation(s[j-1])
}
