package static

import (
	"net/url"
	"path"
	"strings"
)

// A reference is a URL in a style sheet: bytes start to end of its text.
type reference struct {
	start, end int
	imports    bool // by @import, so it names another style sheet
}

// references finds the URLs of url(...) and @import in a style sheet (CSS Syntax Level 3,
// read as far as needed). Comments, source maps among them, and other strings are passed
// over, and URLs written with escapes are left alone.
func references(css string) []reference {
	var found []reference
	imports := false
	for i := 0; i < len(css); {
		switch c := css[i]; {
		case strings.HasPrefix(css[i:], "/*"):
			i = after(css, i+2, "*/")
		case c == '"' || c == '\'':
			end, closed := stringEnd(css, i)
			if imports && closed {
				found = add(found, css, i+1, end-1, true)
			}
			imports = false
			i = end
		case c == '@':
			end := i + 1 + len(leadingName(css[i+1:]))
			imports = strings.EqualFold(css[i+1:end], "import")
			i = end
		case c == ';' || c == '{' || c == '}':
			imports = false
			i++
		case isNameByte(c):
			name := leadingName(css[i:])
			i += len(name)
			if strings.EqualFold(name, "url") && i < len(css) && css[i] == '(' {
				var r reference
				r, i = urlArgument(css, i+1)
				if r.end > r.start {
					found = add(found, css, r.start, r.end, imports)
				}
				imports = false
			}
		default:
			i++
		}
	}
	return found
}

func add(found []reference, css string, start, end int, imports bool) []reference {
	if text := css[start:end]; text == "" || strings.ContainsAny(text, "\\\n\r\x00") {
		return found
	}
	return append(found, reference{start, end, imports})
}

// urlArgument reads what follows "url(" at i and returns where its URL stands and where to
// go on.
func urlArgument(css string, i int) (reference, int) {
	for i < len(css) && isSpace(css[i]) {
		i++
	}
	if i == len(css) {
		return reference{}, i
	}
	if css[i] == '"' || css[i] == '\'' {
		end, closed := stringEnd(css, i)
		if !closed {
			return reference{}, end
		}
		return reference{start: i + 1, end: end - 1}, end
	}
	length := strings.IndexByte(css[i:], ')')
	if length < 0 {
		return reference{}, len(css)
	}
	end := i + length
	text := strings.TrimRight(css[i:end], " \t\n\r\f")
	if strings.ContainsAny(text, " \t\n\r\f\"'(\\") {
		// A bad url, or one with escapes. An escaped parenthesis would be inside the URL:
		// what follows is then read as if it were style, and holds nothing of use.
		return reference{}, end
	}
	return reference{start: i, end: i + len(text)}, end + 1
}

// stringEnd returns where the string that begins at i ends: after its closing quote, or at
// the end of its line if it has none.
func stringEnd(css string, i int) (end int, closed bool) {
	quote := css[i]
	for i++; i < len(css); i++ {
		switch css[i] {
		case quote:
			return i + 1, true
		case '\\':
			i++
		case '\n':
			return i, false
		}
	}
	return len(css), false
}

func after(s string, i int, mark string) int {
	if n := strings.Index(s[i:], mark); n >= 0 {
		return i + n + len(mark)
	}
	return len(s)
}

func leadingName(s string) string {
	n := 0
	for n < len(s) && isNameByte(s[n]) {
		n++
	}
	return s[:n]
}

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// localName returns the name of the file that a reference in the style sheet css/site.css
// means, and the length of the reference without its query and fragment. References to
// other hosts, data and fragments are not local; nor are absolute paths outside prefix.
func localName(sheet, ref, prefix string) (name string, length int, ok bool) {
	length = len(ref)
	if n := strings.IndexAny(ref, "?#"); n >= 0 {
		length = n
	}
	text := ref[:length]
	if text == "" || strings.HasPrefix(text, "//") || hasScheme(text) {
		return "", 0, false
	}
	name, err := url.PathUnescape(text)
	if err != nil {
		return "", 0, false
	}
	if strings.HasPrefix(name, "/") {
		name, ok = strings.CutPrefix(name, prefix)
		if !ok {
			return "", 0, false
		}
	} else {
		name = path.Join(path.Dir(sheet), name)
	}
	return name, length, true
}

func hasScheme(ref string) bool {
	for i := range len(ref) {
		switch c := ref[i]; {
		case c == ':':
			return i > 0
		case c == '/':
			return false
		case !isNameByte(c) && c != '+' && c != '.':
			return false
		}
	}
	return false
}
