package template

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// extraFilters are filters Jinja lacks and that templates of web sites want,
// with the names and rules of Django's where it has them.
var extraFilters = [...]filterDef{
	{name: "date", params: "format", fn: filterDate},
	{name: "default_if_none", params: "default", required: 1, fn: filterDefaultIfNone},
	{name: "floatformat", params: "places", fn: filterFloatformat},
	{name: "intcomma", fn: filterIntcomma},
	{name: "json_script", params: "element_id", fn: filterJSONScript},
	{name: "linebreaks", fn: filterLinebreaks},
	{name: "linebreaksbr", fn: filterLinebreaksbr},
	{name: "naturaltime", params: "now", fn: filterNaturaltime},
	{name: "pluralize", params: "suffix", fn: filterPluralize},
	{name: "slugify", fn: filterSlugify},
	{name: "timesince", params: "now", fn: filterTimesince},
	{name: "timeuntil", params: "now", fn: filterTimeuntil},
	{name: "truncatewords", params: "length,end", required: 1, fn: filterTruncatewords},
	{name: "yesno", params: "words", fn: filterYesno},
}

// filterDate formats a time by a strftime format. Default: %Y-%m-%d. None,
// undefined and the zero time give nothing.
func filterDate(_ *frame, in value, a []value) value {
	layout := "%Y-%m-%d"
	if !a[0].isZeroArgument() {
		layout = wantString("date", a[0])
	}
	t, ok := wantTime("date", in)
	if !ok {
		return empty
	}
	return stringValue(strftime(t, layout))
}

// wantTime reads a time; ok is false for what stands for no time at all.
func wantTime(what string, v value) (time.Time, bool) {
	if t, ok := v.goTime(); ok {
		return t, !t.IsZero()
	}
	if v.kind == kindNone || v.isUndefined() {
		return time.Time{}, false
	}
	if s := v.plain(); s.isString() {
		for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", time.DateTime, time.DateOnly} {
			if t, err := time.Parse(layout, s.str()); err == nil {
				return t, true
			}
		}
	}
	panic(runtimeError("%s: expected a time, not '%s'", what, v.typeName()))
}

func filterDefaultIfNone(_ *frame, in value, a []value) value {
	if in.kind == kindNone {
		return a[0]
	}
	return in
}

// filterFloatformat rounds to a number of decimal places; a negative number
// (default -1) leaves them out where they are zero.
func filterFloatformat(_ *frame, in value, a []value) value {
	places := int64(-1)
	if a[0].given() {
		places = wantInt("floatformat", a[0])
	}
	in = in.plain()
	n := 0.0
	switch {
	case in.isNumber():
		n = mustFloat(in)
	case in.isString():
		f, ok := parseFloat(in.str())
		if !ok {
			return empty
		}
		n = f
	case in.kind == kindGo && in.typ.caps&capText != 0:
		f, ok := parseFloat(in.text())
		if !ok {
			return empty
		}
		n = f
	default:
		return empty
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return stringValue(in.text())
	}
	digits := places
	if digits < 0 {
		digits = -digits
	}
	// Halves are rounded away from zero, as people expect of prices.
	s := strconv.FormatFloat(roundHalfUp(n, int(min(digits, 100))), 'f', int(min(digits, 100)), 64)
	if places < 0 {
		if i := strings.IndexByte(s, '.'); i >= 0 && strings.Trim(s[i+1:], "0") == "" {
			s = s[:i]
		}
	}
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return stringValue(s)
}

// roundHalfUp rounds the shortest decimal form of n.
func roundHalfUp(n float64, places int) float64 {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	dot := strings.IndexByte(s, '.')
	if dot < 0 || len(s)-dot-1 <= places {
		return n
	}
	if s[dot+1+places] == '5' { // a half or more: push it over
		s = s[:dot+1+places] + "6"
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

func filterIntcomma(_ *frame, in value, _ []value) value {
	s := in.text()
	if _, ok := parseFloat(s); !ok || strings.ContainsAny(s, "eEnN") {
		return in
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	f := formatSpec{comma: ','}
	return stringValue(sign + f.grouped(s, 10))
}

// filterJSONScript writes a value as a JSON script element, from which scripts
// read data without any of it being run.
func filterJSONScript(f *frame, in value, a []value) value {
	id := ""
	if !a[0].isZeroArgument() {
		id = ` id="` + escapeString(a[0].text()) + `"`
	}
	return safeValue("<script" + id + ` type="application/json">` + filterTojson(f, in, []value{{}}).str() + "</script>")
}

// filterLinebreaks makes paragraphs of blocks of lines and <br> of single
// line ends; text that is not safe is escaped if autoescape is on.
func filterLinebreaks(f *frame, in value, _ []value) value {
	text := strings.TrimSpace(normalizeNewlines(f.htmlText(in), "\n"))
	var out []string
	for _, p := range strings.Split(text, "\n\n") {
		if p = strings.Trim(p, "\n"); p != "" || text == "" {
			out = append(out, "<p>"+strings.ReplaceAll(p, "\n", "<br>")+"</p>")
		}
	}
	s := strings.Join(out, "\n\n")
	f.x.allowBytes(len(s))
	return safeValue(s)
}

func filterLinebreaksbr(f *frame, in value, _ []value) value {
	s := strings.ReplaceAll(normalizeNewlines(f.htmlText(in), "\n"), "\n", "<br>")
	f.x.allowBytes(len(s))
	return safeValue(s)
}

// htmlText is v as HTML by the autoescape setting.
func (f *frame) htmlText(v value) string {
	if f.autoescapeOn() {
		return string(appendHTML(nil, v))
	}
	return v.text()
}

// filterPluralize gives "s" unless the value is 1, or the length of a list is;
// the suffix may be "es" or "y,ies".
func filterPluralize(_ *frame, in value, a []value) value {
	suffix := "s"
	if a[0].given() {
		suffix = wantString("pluralize", a[0])
	}
	one, many, both := strings.Cut(suffix, ",")
	if !both {
		one, many = "", suffix
	}
	single := false
	in = in.plain()
	if n, ok := in.asFloat(); ok {
		single = n == 1
	} else if in.isString() {
		f, ok := parseFloat(in.str())
		single = ok && f == 1
	} else if n, ok := lengthOf(in); ok {
		single = n == 1
	}
	if single {
		return stringValue(one)
	}
	return stringValue(many)
}

// filterSlugify makes a text fit for an address: lower-case letters, digits,
// underscores and single hyphens. Accents are dropped where a plain letter
// remains; letters of other scripts are kept.
func filterSlugify(_ *frame, in value, _ []value) value {
	var sb strings.Builder
	hyphen := false
	for _, r := range lowerCase(in.text()) {
		switch {
		case isSpace(r) || r == '-':
			hyphen = sb.Len() > 0
		case isWord(r):
			if hyphen {
				sb.WriteByte('-')
				hyphen = false
			}
			sb.WriteString(plainLetter(r))
		}
	}
	return stringValue(strings.Trim(sb.String(), "-_"))
}

// plainLetter drops the accent of Latin letters.
func plainLetter(r rune) string {
	if r < 0x80 || r > 0x17f || !unicode.IsLetter(r) {
		return string(r)
	}
	for _, row := range [...]string{
		"aàáâãäåāăą", "cçćĉċč", "dďđð", "eèéêëēĕėęě", "gĝğġģ", "hĥħ", "iìíîïĩīĭįı", "jĵ", "kķ", "lĺļľŀł",
		"nñńņňŉ", "oòóôõöøōŏő", "rŕŗř", "sśŝşš", "tţťŧ", "uùúûüũūŭůűų", "wŵ", "yýÿŷ", "zźżž",
	} {
		if strings.ContainsRune(row, r) {
			return row[:1]
		}
	}
	switch r {
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ß':
		return "ss"
	case 'þ':
		return "th"
	}
	return string(r)
}

func filterTruncatewords(f *frame, in value, a []value) value {
	n := wantInt("truncatewords", a[0])
	end := stringValue(" …")
	if a[1].given() {
		end = a[1]
	}
	v := soft(in)
	words := strings.FieldsFunc(v.str(), isSpace)
	if int64(len(words)) <= n {
		return textValue(strings.Join(words, " "), v.kind == kindSafe)
	}
	return concatTwo(f.x, textValue(strings.Join(words[:max(n, 0)], " "), v.kind == kindSafe), end)
}

// filterYesno chooses one of "yes,no,maybe" for true, false and none.
func filterYesno(_ *frame, in value, a []value) value {
	words := "yes,no,maybe"
	if a[0].given() {
		words = wantString("yesno", a[0])
	}
	parts := strings.Split(words, ",")
	if len(parts) < 2 {
		return in
	}
	switch {
	case in.kind == kindNone && len(parts) > 2:
		return stringValue(parts[2])
	case in.truth():
		return stringValue(parts[0])
	}
	return stringValue(parts[1])
}

func filterTimesince(f *frame, in value, a []value) value {
	t, ok := wantTime("timesince", in)
	if !ok {
		return empty
	}
	return stringValue(span2(t, now(f, a[0])))
}

func filterTimeuntil(f *frame, in value, a []value) value {
	t, ok := wantTime("timeuntil", in)
	if !ok {
		return empty
	}
	return stringValue(span2(now(f, a[0]), t))
}

func now(_ *frame, v value) time.Time {
	if !v.isZeroArgument() {
		if t, ok := wantTime("now", v); ok {
			return t
		}
	}
	return time.Now()
}

// span2 writes the time between two moments in its two largest units, as
// "1 week, 3 days"; a moment in the future is "0 minutes" ago.
func span2(from, to time.Time) string {
	if !to.After(from) {
		return "0 minutes"
	}
	var parts []string
	months := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	if from.AddDate(0, months, 0).After(to) {
		months--
	}
	rest := to.Sub(from.AddDate(0, months, 0))
	type unit struct {
		n    int
		name string
	}
	days := int(rest.Hours()) / 24
	units := []unit{
		{months / 12, "year"},
		{months % 12, "month"},
		{days / 7, "week"},
		{days % 7, "day"},
		{int(rest.Hours()) % 24, "hour"},
		{int(rest.Minutes()) % 60, "minute"},
	}
	for i, u := range units {
		if u.n == 0 {
			continue
		}
		parts = append(parts, counted(u.n, u.name))
		if i+1 < len(units) && units[i+1].n > 0 {
			parts = append(parts, counted(units[i+1].n, units[i+1].name))
		}
		break
	}
	if len(parts) == 0 {
		return "0 minutes"
	}
	return strings.Join(parts, ", ")
}

func counted(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// filterNaturaltime is a time as people say it: "now", "3 minutes ago",
// "2 days from now".
func filterNaturaltime(f *frame, in value, a []value) value {
	t, ok := wantTime("naturaltime", in)
	if !ok {
		return empty
	}
	at := now(f, a[0])
	d := at.Sub(t)
	text, suffix := "", " ago"
	if d < 0 {
		d, suffix = -d, " from now"
	}
	switch {
	case d < time.Second:
		return stringValue("now")
	case d < time.Minute:
		text = counted(int(d.Seconds()), "second")
	case d < time.Hour:
		text = counted(int(d.Minutes()), "minute")
	case d < 24*time.Hour:
		text = counted(int(d.Hours()), "hour")
	case suffix == " ago":
		text = span2(t, at)
	default:
		text = span2(at, t)
	}
	return stringValue(text + suffix)
}
