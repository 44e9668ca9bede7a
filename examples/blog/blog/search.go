package blog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort/orm"
)

// The most that a search looks for.
const (
	maxWords      = 6
	maxWordLength = 60
)

// searchWords splits what was typed into the words to look for.
func searchWords(q string) []string {
	words := strings.FieldsFunc(q, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError })
	if len(words) > maxWords {
		words = words[:maxWords]
	}
	for i, word := range words {
		if runes := []rune(word); len(runes) > maxWordLength {
			words[i] = string(runes[:maxWordLength])
		}
	}
	return words
}

// matching keeps the posts that have every word in the title, summary or body.
func matching(posts orm.QuerySet[Post], words []string) orm.QuerySet[Post] {
	p := Posts.Fields()
	for _, word := range words {
		posts = posts.Where(orm.Or(
			orm.IContains(&p.Title, word), orm.IContains(&p.Summary, word), orm.IContains(&p.Body, word)))
	}
	return posts
}

// result is a post that was found.
type result struct {
	Post    *Post
	Title   []piece
	Excerpt []piece
}

// piece is a part of a text; a hit is one of the words looked for.
type piece struct {
	Text string
	Hit  bool
}

// highlight cuts a text into pieces at the words, in any case.
func highlight(text string, words []string) []piece {
	var pieces []piece
	for text != "" {
		at, length := firstHit(text, words)
		if length == 0 {
			return append(pieces, piece{Text: text})
		}
		if at > 0 {
			pieces = append(pieces, piece{Text: text[:at]})
		}
		pieces = append(pieces, piece{Text: text[at : at+length], Hit: true})
		text = text[at+length:]
	}
	return pieces
}

// firstHit finds the place and length of the first of the words, 0 if there is
// none.
func firstHit(text string, words []string) (at, length int) {
	for i := range text {
		for _, word := range words {
			if word != "" && len(text)-i >= len(word) && strings.EqualFold(text[i:i+len(word)], word) && len(word) > length {
				at, length = i, len(word)
			}
		}
		if length > 0 {
			return at, length
		}
	}
	return 0, 0
}

// excerpt is the part of a post around the first word found in its body, or its
// summary.
func excerpt(post *Post, words []string) []piece {
	const before, after, most = 90, 190, 30
	body := post.Body
	at, length := firstHit(body, words)
	if length == 0 {
		return highlight(post.Summary, words)
	}
	// Cut at characters, and at spaces where there is one near.
	start, end := max(0, at-before), min(len(body), at+length+after)
	for start > 0 && !utf8.RuneStart(body[start]) {
		start--
	}
	for end < len(body) && !utf8.RuneStart(body[end]) {
		end++
	}
	if i := strings.IndexAny(body[start:at], " \n"); start > 0 && i >= 0 && i < most {
		start += i + 1
	}
	if i := strings.LastIndexAny(body[at+length:end], " \n"); end < len(body) && i >= after-most {
		end = at + length + i
	}
	text := strings.Join(strings.Fields(body[start:end]), " ")
	if start > 0 {
		text = "… " + text
	}
	if end < len(body) {
		text += " …"
	}
	return highlight(text, words)
}
