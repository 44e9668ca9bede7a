package template

import (
	"math/big"
	"strconv"
	"strings"
)

// decimalText gives a number in plain digits, such as "-1234.50"; ok is false
// for what is no number.
func decimalText(in value) (string, bool) {
	in = in.plain()
	s := ""
	switch {
	case in.kind == kindFloat:
		s = strconv.FormatFloat(in.float(), 'f', -1, 64)
	case in.isInteger():
		s = intText(in)
	case in.isString(), in.kind == kindGo && in.typ.caps&capText != 0:
		s = strings.TrimSpace(in.text())
		if strings.ContainsAny(s, "eE_") {
			f, ok := parseFloat(s)
			if !ok {
				return "", false
			}
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	whole, fraction, point := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	if whole+fraction == "" || len(s) > 5000 || strings.Trim(whole+fraction, "0123456789") != "" || point && fraction == "" {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if point {
		whole += "." + fraction
	}
	if strings.HasPrefix(s, "-") {
		whole = "-" + whole
	}
	return whole, true
}

func intText(v value) string {
	if v.kind == kindBool {
		return strconv.FormatInt(v.int(), 10)
	}
	return v.text()
}

// roundDecimal rounds plain digits to decimal places, halves away from zero as
// people expect of prices.
func roundDecimal(s string, places int) string {
	negative := strings.HasPrefix(s, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	for len(fraction) < places {
		fraction += "0"
	}
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	if cut := len(fraction) - places; cut > 0 {
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(cut)), nil)
		rest := new(big.Int)
		n.QuoRem(n, unit, rest)
		if rest.Lsh(rest, 1).Cmp(unit) >= 0 {
			n.Add(n, big.NewInt(1))
		}
	}
	out := n.String()
	if len(out) <= places {
		out = strings.Repeat("0", places-len(out)+1) + out
	}
	if places > 0 {
		out = out[:len(out)-places] + "." + out[len(out)-places:]
	}
	if negative && n.Sign() != 0 {
		out = "-" + out
	}
	return out
}

// filterFloatformat rounds to a number of decimal places; a negative number
// (default -1) leaves them out for whole numbers. The suffix g groups the
// digits, u writes them as they are in any language.
func filterFloatformat(f *frame, in value, a []value) value {
	places, suffix := "-1", ""
	if a[0].given() {
		places = a[0].text()
		digits := strings.TrimRight(places, "gu")
		suffix = places[len(digits):]
		if places = digits; places == "" {
			places = "-1"
		}
	}
	n, err := strconv.Atoi(places)
	if err != nil {
		panic(runtimeError("floatformat: expected a number of places such as 2 or '2g', not '%s'", a[0].text()))
	}
	s, ok := decimalText(in)
	if !ok {
		if p := in.plain(); p.kind == kindFloat {
			return stringValue(p.text()) // an infinity
		}
		return empty
	}
	f.x.allowBytes(n)
	out := roundDecimal(s, min(max(n, -n), 1000))
	if _, fraction, _ := strings.Cut(s, "."); n < 0 && strings.Trim(fraction, "0") == "" {
		out, _, _ = strings.Cut(out, ".")
	}
	if strings.Contains(suffix, "u") {
		return stringValue(out)
	}
	return stringValue(f.x.localNumber(out, strings.Contains(suffix, "g")))
}

// filterIntcomma groups the digits of a number.
func filterIntcomma(f *frame, in value, _ []value) value {
	s, ok := decimalText(in)
	if !ok {
		return in
	}
	return stringValue(f.x.localNumber(s, true))
}

// filterLocalize writes a number or time as the reader is used to.
func filterLocalize(f *frame, in value, _ []value) value {
	if _, ok := in.goTime(); ok {
		return f.timeBy("localize", "DATETIME_FORMAT", in, value{})
	}
	if s, ok := decimalText(in); ok && !in.plain().isString() && in.plain().kind != kindBool {
		return stringValue(f.x.localNumber(s, true))
	}
	return in
}

func filterUnlocalize(_ *frame, in value, _ []value) value { return stringValue(in.text()) }

// largeNumbers are the words of intword, by their power of ten.
var largeNumbers = [...]struct {
	power     int
	one, many string
}{
	{6, "%(value)s million", "%(value)s million"},
	{9, "%(value)s billion", "%(value)s billion"},
	{12, "%(value)s trillion", "%(value)s trillion"},
	{15, "%(value)s quadrillion", "%(value)s quadrillion"},
	{18, "%(value)s quintillion", "%(value)s quintillion"},
	{21, "%(value)s sextillion", "%(value)s sextillion"},
	{24, "%(value)s septillion", "%(value)s septillion"},
	{27, "%(value)s octillion", "%(value)s octillion"},
	{30, "%(value)s nonillion", "%(value)s nonillion"},
	{33, "%(value)s decillion", "%(value)s decillion"},
	{100, "%(value)s googol", "%(value)s googol"},
}

// filterIntword writes a large whole number as "1.2 million".
func filterIntword(f *frame, in value, _ []value) value {
	s, ok := decimalText(in)
	if !ok {
		return in
	}
	whole, _, _ := strings.Cut(s, ".")
	digits := strings.TrimPrefix(whole, "-")
	if len(digits) <= largeNumbers[0].power {
		return in
	}
	for i := len(largeNumbers) - 1; i >= 0; i-- {
		word := largeNumbers[i]
		// A number that rounds up to the next word takes that one.
		scaled := roundDecimal(shiftPoint(digits, word.power), 1)
		if scaled[0] == '0' {
			continue
		}
		if digits != whole {
			scaled = "-" + scaled
		}
		plural := 2
		if scaled == "1.0" {
			plural = 1
		}
		text := f.x.translatedCount(word.one, word.many, plural)
		return stringValue(strings.Replace(text, "%(value)s", f.x.localNumber(scaled, false), 1))
	}
	return in
}

// shiftPoint divides digits by a power of ten.
func shiftPoint(digits string, power int) string {
	if len(digits) <= power {
		digits = strings.Repeat("0", power-len(digits)+1) + digits
	}
	return digits[:len(digits)-power] + "." + digits[len(digits)-power:]
}

var smallNumbers = [...]string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}

// filterApnumber writes the numbers from one to nine as words, as newspapers do.
func filterApnumber(f *frame, in value, _ []value) value {
	s, ok := decimalText(in)
	if !ok {
		return in
	}
	whole, _, _ := strings.Cut(s, ".")
	if len(whole) != 1 || whole == "0" {
		return in
	}
	return stringValue(f.x.translated(smallNumbers[whole[0]-'1']))
}

// filterOrdinal writes 1st, 2nd, 3rd. Languages may write it with tags, so that
// it is HTML. Numbers below zero have no place.
func filterOrdinal(f *frame, in value, _ []value) value {
	s, ok := decimalText(in)
	if !ok || s[0] == '-' {
		return in
	}
	whole, _, _ := strings.Cut(s, ".")
	n, _ := strconv.Atoi(whole[max(len(whole)-2, 0):])
	context := "ordinal " + strconv.Itoa(n%10)
	if n >= 11 && n <= 13 {
		context = "ordinal 11, 12, 13"
	}
	text := f.x.message(messageContext{context, true}, "{}"+ordinalSuffix(n), "", 0)
	return safeValue(strings.Replace(text, "{}", whole, 1))
}
