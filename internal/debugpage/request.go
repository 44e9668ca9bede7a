package debugpage

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// target is the request's path and query with secret parameters masked.
func (p *Page) target() string {
	u := p.Request.URL
	if u == nil {
		return p.scrub(p.Request.RequestURI)
	}
	s := u.EscapedPath()
	if u.RawQuery != "" {
		s += "?" + maskQuery(u.RawQuery)
	}
	return p.scrub(s)
}

// path is the target without its query.
func (p *Page) path() string {
	path, _, _ := strings.Cut(p.target(), "?")
	return path
}

// requestRows describes the request without its headers.
func (p *Page) requestRows() [][2]string {
	r := p.Request
	rows := [][2]string{
		{"Method", r.Method},
		{"Target", clip(p.target(), maxValue)},
		{"Host", clip(r.Host, maxValue)},
		{"Protocol", r.Proto},
		{"Remote address", r.RemoteAddr},
	}
	if r.TLS != nil {
		rows = append(rows, [2]string{"TLS", "yes"})
	}
	if r.ContentLength != 0 {
		length := "unknown"
		if r.ContentLength > 0 {
			length = strconv.FormatInt(r.ContentLength, 10) + " bytes"
		}
		rows = append(rows, [2]string{"Body", length})
	}
	return rows
}

// headerRows are the request's headers. Cookies appear by name only, because a
// name says little about how secret the value is.
func (p *Page) headerRows() [][2]string {
	r := p.Request
	var rows [][2]string
	for _, name := range sortedNames(r.Header) {
		if len(rows) == maxRows {
			break
		}
		value := strings.Join(r.Header[name], ", ")
		switch {
		case strings.EqualFold(name, "Cookie"):
			value = cookieNames(r)
		case strings.EqualFold(name, "Referer"):
			value = p.maskURL(value)
		default:
			value = p.maskValue(name, value)
		}
		rows = append(rows, [2]string{name, value})
	}
	return rows
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func cookieNames(r *http.Request) string {
	var b strings.Builder
	for i, cookie := range r.Cookies() {
		if i > 0 {
			b.WriteString("; ")
		}
		if i == 50 {
			b.WriteString("…")
			break
		}
		b.WriteString(clip(cookie.Name, 100) + "=" + Masked)
	}
	if b.Len() == 0 {
		return Masked
	}
	return b.String()
}

// maskURL masks the query of an address.
func (p *Page) maskURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return Masked
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	masked := p.scrub(u.String())
	if _, query, ok := strings.Cut(address, "?"); ok {
		query, _, _ = strings.Cut(query, "#")
		masked += "?" + p.scrub(maskQuery(query))
	}
	return clip(masked, maxValue)
}

// maskedRows are the rows of a section as they may be shown.
func (p *Page) maskedRows(rows [][2]string) [][2]string {
	out := make([][2]string, 0, min(len(rows), maxRows+1))
	for _, row := range rows {
		if len(out) == maxRows {
			out = append(out, [2]string{"…", strconv.Itoa(len(rows)-maxRows) + " more"})
			break
		}
		out = append(out, [2]string{clip(row[0], 200), p.maskValue(row[0], row[1])})
	}
	return out
}
