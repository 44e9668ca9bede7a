package security

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/retort-web/retort"
)

// Sources of a [Policy]. Others are written as the standard has them: a scheme
// "data:", a host "https://cdn.example.com", a hash "'sha256-…'".
const (
	// Nonce stands for the nonce of the page, which templates write as
	// <script nonce="{{ csp_nonce() }}">.
	Nonce         = "'nonce'"
	Self          = "'self'"
	None          = "'none'"
	StrictDynamic = "'strict-dynamic'"
	UnsafeInline  = "'unsafe-inline'"
	UnsafeEval    = "'unsafe-eval'"
)

// Policy is a Content-Security-Policy: sources by directive. A directive without
// sources, such as upgrade-insecure-requests, has an empty list.
type Policy map[string][]string

// Strict is the policy that is sent by default. Scripts run only with the page's
// nonce, and those that such a script loads; styles, images, fonts and requests
// are the site's own; there are no plug-ins, no frames around the page, no other
// base of its addresses, and forms are sent to the site. Change what it returns:
//
//	policy := security.Strict()
//	policy["img-src"] = append(policy["img-src"], "https://images.example.com")
func Strict() Policy {
	return Policy{
		"default-src":     {Self},
		"script-src":      {Nonce, StrictDynamic},
		"style-src":       {Self, Nonce},
		"img-src":         {Self, "data:"},
		"object-src":      {None},
		"base-uri":        {None},
		"form-action":     {Self},
		"frame-ancestors": {None},
	}
}

// ContentPolicy gives the pages of a route or blueprint a policy of their own, in
// place of [Options].Policy. It needs the extension; a nil policy sends none. It
// panics if the policy cannot be.
func ContentPolicy(p Policy) retort.Middleware {
	var own *compiled
	if p != nil {
		var err error
		if own, err = p.compile(""); err != nil {
			panic(err)
		}
	}
	return func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			ownPolicy.Set(c, own)
			return next(c)
		}
	}
}

var ownPolicy = retort.NewKey[*compiled]("security.ContentPolicy")

// compiled is the text of a policy, cut where the nonce goes.
type compiled struct{ parts []string }

// known are the directives of Content Security Policy Level 3, and of those that
// extend it.
var known = []string{
	"base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "form-action", "frame-ancestors", "frame-src",
	"img-src", "manifest-src", "media-src", "object-src", "report-to", "report-uri", "require-trusted-types-for", "sandbox", "script-src",
	"script-src-attr", "script-src-elem", "style-src", "style-src-attr", "style-src-elem", "trusted-types", "upgrade-insecure-requests",
	"worker-src",
}

// compile checks a policy and writes it, the same each time.
func (p Policy) compile(reportPath string) (*compiled, error) {
	var text strings.Builder
	names := slices.Sorted(maps.Keys(p))
	if i := slices.Index(names, "default-src"); i > 0 { // first, as people write it
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "default-src")
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("security: %q is no directive of a Content-Security-Policy", name)
		}
		if text.Len() > 0 {
			text.WriteString("; ")
		}
		text.WriteString(name)
		for _, source := range p[name] {
			if err := checkSource(name, source, len(p[name])); err != nil {
				return nil, err
			}
			text.WriteString(" " + source)
		}
	}
	if reportPath != "" && p["report-uri"] == nil {
		text.WriteString("; report-uri " + reportPath)
	}
	return &compiled{strings.Split(text.String(), Nonce)}, nil
}

// checkSource refuses what browsers would drop without a word.
func checkSource(directive, source string, of int) error {
	for i := range len(source) {
		if b := source[i]; b <= ' ' || b >= 0x7f || b == ';' || b == ',' {
			return fmt.Errorf("security: the source %q of %s has a character that ends it; write each source by itself", source, directive)
		}
	}
	switch keyword := strings.Trim(source, "'"); {
	case source == "":
		return fmt.Errorf("security: %s has an empty source", directive)
	case source == None && of > 1:
		return fmt.Errorf("security: %s has 'none' among others, where browsers ignore it", directive)
	case source == keyword && slices.Contains([]string{"self", "none", "nonce", "strict-dynamic", "unsafe-inline", "unsafe-eval"}, keyword):
		return fmt.Errorf("security: the source %s of %s needs quotes: '%s'", source, directive, keyword)
	}
	return nil
}

// header returns the policy for a response.
func (p *compiled) header(c *retort.Ctx) string {
	if len(p.parts) == 1 {
		return p.parts[0]
	}
	nonce := "'nonce-" + c.CSPNonce() + "'"
	size := (len(p.parts) - 1) * len(nonce)
	for _, part := range p.parts {
		size += len(part)
	}
	b := make([]byte, 0, size)
	for i, part := range p.parts {
		if i > 0 {
			b = append(b, nonce...)
		}
		b = append(b, part...)
	}
	return string(b)
}
