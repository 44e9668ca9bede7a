package retort

import (
	"strconv"
	"strings"
)

// Accepts returns which of the offered media types the client likes best, ""
// if it accepts none. Quality decides, then how specific the client was, then
// the order of the offers (RFC 9110, section 12.5.1).
func (c *Ctx) Accepts(offers ...string) string {
	return negotiate(c.request.Header.Values("Accept"), offers, matchMedia)
}

// AcceptsLanguage returns which of the offered languages the client likes
// best, "" if it accepts none: an offer "en" serves a client that asks for
// "en-GB", and the other way round (RFC 4647, lookup).
func (c *Ctx) AcceptsLanguage(offers ...string) string {
	return negotiate(c.request.Header.Values("Accept-Language"), offers, matchLanguage)
}

// AcceptsEncoding returns which of the offered content codings the client
// likes best, "" if it accepts none; "identity" is acceptable unless it is
// ruled out.
func (c *Ctx) AcceptsEncoding(offers ...string) string {
	return negotiate(c.request.Header.Values("Accept-Encoding"), offers, matchToken)
}

// Vary adds request headers that the answer depends on, for caches.
func (c *Ctx) Vary(names ...string) {
	h := c.writer.Header()
	for _, name := range names {
		if !varies(h["Vary"], name) {
			h.Add("Vary", name)
		}
	}
}

func varies(have []string, name string) bool {
	for _, line := range have {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, name) {
				return true
			}
		}
	}
	return false
}

// maxPreferences bounds the work that an Accept header can ask for.
const maxPreferences = 64

// negotiate picks among offers. match tells how specifically a range of the
// header names an offer, 0 if not at all.
func negotiate(header []string, offers []string, match func(pattern, offer string) int) string {
	if len(offers) == 0 {
		return ""
	}
	if len(header) == 0 || len(header) == 1 && strings.TrimSpace(header[0]) == "" {
		return offers[0]
	}
	best, bestQuality, bestSpecific := "", 0.0, 0
	for _, offer := range offers {
		// The most specific range that names the offer decides its quality.
		quality, specific, seen := 0.0, 0, 0
		for _, line := range header {
			for item := range strings.SplitSeq(line, ",") {
				if seen++; seen > maxPreferences {
					break
				}
				pattern, q := splitQuality(item)
				if s := match(pattern, offer); s > specific {
					quality, specific = q, s
				}
			}
		}
		if specific == 0 && offer == "identity" {
			quality, specific = 0.001, 1
		}
		if specific > 0 && (quality > bestQuality || quality == bestQuality && quality > 0 && specific > bestSpecific) {
			best, bestQuality, bestSpecific = offer, quality, specific
		}
	}
	return best
}

// splitQuality splits "text/html;level=1;q=0.5" into the range without the
// weight and the weight. A malformed weight counts as 0: the client may not
// want it.
func splitQuality(item string) (pattern string, quality float64) {
	pattern, quality = strings.TrimSpace(item), 1
	name, rest, ok := strings.Cut(pattern, ";")
	if !ok {
		return pattern, quality
	}
	pattern = strings.TrimSpace(name)
	for parameter := range strings.SplitSeq(rest, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(strings.TrimSpace(k), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			return pattern, q
		}
		pattern += ";" + strings.TrimSpace(parameter)
	}
	return pattern, quality
}

// matchMedia: */* is 1, type/* is 2, type/subtype is 3, with parameters more.
func matchMedia(pattern, offer string) int {
	offerType, offerParameters, _ := strings.Cut(offer, ";")
	patternType, parameters, hasParameters := strings.Cut(pattern, ";")
	switch {
	case patternType == "*/*":
		return 1
	case strings.HasSuffix(patternType, "/*"):
		if n := len(patternType) - 1; len(offerType) > n && strings.EqualFold(offerType[:n], patternType[:n]) {
			return 2
		}
		return 0
	case !strings.EqualFold(patternType, strings.TrimSpace(offerType)):
		return 0
	case !hasParameters:
		return 3
	case strings.EqualFold(strings.ReplaceAll(parameters, " ", ""), strings.ReplaceAll(offerParameters, " ", "")):
		return 4
	}
	return 0
}

// matchLanguage: * is 1, a shared first subtag 2, a prefix of the other 3,
// the same 4.
func matchLanguage(pattern, offer string) int {
	switch {
	case pattern == "*":
		return 1
	case strings.EqualFold(pattern, offer):
		return 4
	case hasTagPrefix(offer, pattern):
		return 3
	case hasTagPrefix(pattern, offer):
		return 2
	}
	return 0
}

func hasTagPrefix(tag, prefix string) bool {
	return prefix != "" && len(tag) > len(prefix) && tag[len(prefix)] == '-' && strings.EqualFold(tag[:len(prefix)], prefix)
}

func matchToken(pattern, offer string) int {
	switch {
	case strings.EqualFold(pattern, offer):
		return 2
	case pattern == "*":
		return 1
	}
	return 0
}
