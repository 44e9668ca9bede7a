package template

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// djangoFilters are the filters of Django and of its humanize that Jinja
// lacks, see Extensions.Django. Where both have a name, Jinja's filter stays.
var djangoFilters = [...]filterDef{
	{name: "add", params: "other", required: 1, fn: filterAdd},
	{name: "addslashes", fn: filterAddslashes},
	{name: "apnumber", fn: filterApnumber},
	{name: "capfirst", fn: filterCapfirst},
	{name: "cut", params: "text", required: 1, fn: filterCut},
	{name: "date", params: "format", fn: filterDate},
	{name: "default_if_none", params: "default", required: 1, fn: filterDefaultIfNone},
	{name: "dictsortreversed", params: "attribute", required: 1, fn: filterDictsortreversed},
	{name: "divisibleby", params: "num", required: 1, fn: filterDivisibleby},
	{name: "escapejs", fn: filterEscapejs},
	{name: "escapeseq", fn: filterEscapeseq},
	{name: "floatformat", params: "places", fn: filterFloatformat},
	{name: "force_escape", fn: filterForceEscape},
	{name: "get_digit", params: "position", required: 1, fn: filterGetDigit},
	{name: "intcomma", fn: filterIntcomma},
	{name: "intword", fn: filterIntword},
	{name: "iriencode", fn: filterIriencode},
	{name: "json_script", params: "element_id", fn: filterJSONScript},
	{name: "linebreaks", fn: filterLinebreaks},
	{name: "linebreaksbr", fn: filterLinebreaksbr},
	{name: "linenumbers", fn: filterLinenumbers},
	{name: "ljust", params: "width", required: 1, fn: filterLjust},
	{name: "localize", fn: filterLocalize},
	{name: "localtime", fn: filterLocaltime},
	{name: "make_list", fn: filterMakeList},
	{name: "naturalday", params: "format", fn: filterNaturalday},
	{name: "naturaltime", params: "now", fn: filterNaturaltime},
	{name: "ordinal", fn: filterOrdinal},
	{name: "phone2numeric", fn: filterPhone2numeric},
	{name: "pluralize", params: "suffix", fn: filterPluralize},
	{name: "rjust", params: "width", required: 1, fn: filterRjust},
	{name: "safeseq", fn: filterSafeseq},
	{name: "slugify", fn: filterSlugify},
	{name: "stringformat", params: "format", required: 1, fn: filterStringformat},
	{name: "time", params: "format", fn: filterTime},
	{name: "timesince", params: "now", fn: filterTimesince},
	{name: "timeuntil", params: "now", fn: filterTimeuntil},
	{name: "timezone", params: "name", required: 1, fn: filterTimezone},
	{name: "truncatechars", params: "length,end", required: 1, fn: filterTruncatechars},
	{name: "truncatechars_html", params: "length,end", required: 1, fn: filterTruncatecharsHTML},
	{name: "truncatewords", params: "length,end", required: 1, fn: filterTruncatewords},
	{name: "truncatewords_html", params: "length,end", required: 1, fn: filterTruncatewordsHTML},
	{name: "unlocalize", fn: filterUnlocalize},
	{name: "unordered_list", fn: filterUnorderedList},
	{name: "urlizetrunc", params: "limit", required: 1, fn: filterUrlizetrunc},
	{name: "utc", fn: filterUTC},
	{name: "yesno", params: "words", fn: filterYesno},
}

func isDjangoFilter(name string) bool {
	return slices.ContainsFunc(djangoFilters[:], func(d filterDef) bool { return d.name == name })
}

// filterAdd adds whole numbers, also those written as texts, and whatever
// else can be added; what cannot gives nothing.
func filterAdd(f *frame, in value, a []value) (sum value) {
	if m, ok := wholeNumber(in); ok {
		if n, ok := wholeNumber(a[0]); ok {
			return bigValue(m.Add(m, n))
		}
	}
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); !ok || e.Kind != Runtime && e.Kind != Undefined {
				panic(r)
			}
			sum = empty
		}
	}()
	return add(f.x, in, a[0])
}

func wholeNumber(v value) (*big.Int, bool) {
	v = v.plain()
	switch {
	case v.isInteger():
		return v.asBig(), true
	case v.kind == kindFloat:
		if t, ok := tryTruncate(v.float()); ok {
			return t, true
		}
	case v.isString() && len(v.str()) < maxIntegerDigits:
		return new(big.Int).SetString(strings.TrimSpace(v.str()), 10)
	}
	return nil, false
}

func tryTruncate(f float64) (*big.Int, bool) {
	if f-f != 0 { // an infinity or no number
		return nil, false
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n, true
}

func filterAddslashes(_ *frame, in value, _ []value) value {
	s := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(soft(in).str())
	return textValue(s, in.kind == kindSafe)
}

func filterCapfirst(_ *frame, in value, _ []value) value {
	s := soft(in).str()
	_, n := utf8.DecodeRuneInString(s)
	return textValue(upperCase(s[:n])+s[n:], in.kind == kindSafe)
}

// filterCut removes a text wherever it stands. What remains of a safe text is
// safe unless a semicolon was cut, which might have ended an entity.
func filterCut(_ *frame, in value, a []value) value {
	part := a[0].text()
	return textValue(strings.ReplaceAll(soft(in).str(), part, ""), in.kind == kindSafe && part != ";")
}

func filterDictsortreversed(f *frame, in value, a []value) value {
	get := attributeGetter(f, a[0], value{}, false)
	return listValue(sorted(f, collect(f.x, in), []func(value) value{get}, true, false))
}

func filterDivisibleby(f *frame, in value, a []value) value {
	return boolValue(equal(modulo(f.x, in, a[0]), intValue(0)))
}

// filterEscapejs makes a text fit for a string in a script, in quotes of
// either kind.
func filterEscapejs(_ *frame, in value, _ []value) value {
	var out []byte
	for _, r := range soft(in).str() {
		switch {
		case r < 0x20, strings.ContainsRune("\\'\"<>&=-;`", r), r == 0x2028, r == 0x2029:
			out = appendHexUpper(append(out, `\u`...), uint32(r))
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return safeValue(string(out))
}

func appendHexUpper(dst []byte, n uint32) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15])
}

func filterEscapeseq(f *frame, in value, _ []value) value {
	items := slices.Clone(collect(f.x, in))
	for i, v := range items {
		items[i] = escaped(v)
	}
	return listValue(items)
}

func filterSafeseq(f *frame, in value, _ []value) value {
	items := slices.Clone(collect(f.x, in))
	for i, v := range items {
		items[i] = safeValue(v.text())
	}
	return listValue(items)
}

// filterGetDigit gives a digit of a whole number, counted from the right from 1.
func filterGetDigit(_ *frame, in value, a []value) value {
	n, ok := wholeNumber(in)
	at, ok2 := wholeNumber(a[0])
	if !ok || !ok2 || !at.IsInt64() || at.Int64() < 1 {
		return in
	}
	s := n.String()
	if at.Int64() > int64(len(s)) {
		return intValue(0)
	}
	c := s[len(s)-int(at.Int64())]
	if c == '-' {
		return intValue(0)
	}
	return intValue(int64(c - '0'))
}

// filterIriencode makes an address with letters of all scripts fit for a link.
func filterIriencode(_ *frame, in value, _ []value) value {
	s := soft(in).str()
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if digitValue(c) < 36 || strings.IndexByte("_.-~/#%[]=:;$&()+,!?*@'", c) >= 0 {
			out = append(out, c)
			continue
		}
		const digits = "0123456789ABCDEF"
		out = append(out, '%', digits[c>>4], digits[c&15])
	}
	return textValue(string(out), in.kind == kindSafe)
}

// filterLinenumbers puts its number before each line.
func filterLinenumbers(f *frame, in value, _ []value) value {
	lines := strings.Split(soft(in).str(), "\n")
	width := len(strconv.Itoa(len(lines)))
	for i, line := range lines {
		number := strconv.Itoa(i + 1)
		if f.autoescapeOn() && in.kind != kindSafe {
			line = escapeString(line)
		}
		lines[i] = strings.Repeat("0", width-len(number)) + number + ". " + line
	}
	s := strings.Join(lines, "\n")
	f.x.allowBytes(len(s))
	return textValue(s, f.autoescapeOn())
}

func filterLjust(f *frame, in value, a []value) value {
	return textValue(padded(f.x, soft(in).str(), wantInt("ljust", a[0]), " ", 'l'), in.kind == kindSafe)
}

func filterRjust(f *frame, in value, a []value) value {
	return textValue(padded(f.x, soft(in).str(), wantInt("rjust", a[0]), " ", 'r'), in.kind == kindSafe)
}

// filterMakeList gives the characters of a text, or the digits of a number.
func filterMakeList(f *frame, in value, _ []value) value {
	return listValue(slices.Clone(collect(f.x, soft(in))))
}

// filterPhone2numeric replaces letters by the digits on the keys of a telephone.
func filterPhone2numeric(_ *frame, in value, _ []value) value {
	const keys = "22233344455566677778889999"
	s := []byte(strings.ToLower(soft(in).str()))
	for i, c := range s {
		if c >= 'a' && c <= 'z' {
			s[i] = keys[c-'a']
		}
	}
	return stringValue(string(s))
}

// filterStringformat writes a value by a conversion of the operator %, given
// without the percent sign; what does not fit gives nothing.
func filterStringformat(f *frame, in value, a []value) (out value) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); !ok || e.Kind != Runtime && e.Kind != Undefined {
				panic(r)
			}
			out = empty
		}
	}()
	return formatPercent(f.x, stringValue("%"+a[0].text()), tupleValue(in))
}

// filterUnorderedList makes the items of a list, and of the lists behind items,
// elements of HTML, without the outermost <ul>.
func filterUnorderedList(f *frame, in value, _ []value) value {
	s := string(unorderedList(f, nil, in, 1))
	f.x.allowBytes(len(s))
	return safeValue(s)
}

func unorderedList(f *frame, out []byte, list value, depth int) []byte {
	if depth > 100 {
		panic(runtimeError("unordered_list: the list is nested too deeply"))
	}
	indent := strings.Repeat("\t", depth)
	items := collect(f.x, list)
	for i := 0; i < len(items); i++ {
		if i > 0 {
			out = append(out, '\n')
		}
		out = append(append(append(out, indent...), "<li>"...), f.htmlText(items[i])...)
		if i+1 < len(items) && isNested(items[i+1]) {
			i++
			out = append(append(append(out, '\n'), indent...), "<ul>\n"...)
			out = unorderedList(f, out, items[i], depth+1)
			out = append(append(append(out, '\n'), indent...), "</ul>\n"...)
			out = append(out, indent...)
		}
		out = append(out, "</li>"...)
		f.x.allowBytes(len(out))
	}
	return out
}

func isNested(v value) bool {
	return v.isSequence() || v.kind == kindRange || v.kind == kindIterator || isGoSlice(v)
}

func filterUrlizetrunc(f *frame, in value, a []value) value {
	return filterUrlize(f, in, []value{a[0], {}, {}, {}, {}})
}
