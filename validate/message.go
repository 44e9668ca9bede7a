package validate

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// sentence is the English text of a code; one is used when the number that the
// sentence counts by is 1.
type sentence struct {
	count      string
	one, other string
}

var sentences = map[string]sentence{
	"above":                {other: "must be more than {above}"},
	"below":                {other: "must be less than {below}"},
	"check":                {other: "The values do not fit together"},
	"choice":               {other: "is not one of the choices"},
	"digits":               {other: "must have at most {digits} digits before the point and {places} after it"},
	"email":                {other: "must be an e-mail address"},
	"encoding":             {other: "must be text in UTF-8"},
	"file_and_clear":       {other: "has both a new file and the mark to remove the old one"},
	"file_empty":           {other: "is an empty file"},
	"file_extension":       {other: "must have a name that ends in {extensions}"},
	"file_size":            {other: "must not be larger than {max}"},
	"file_type":            {other: "must be of the type {types}"},
	"foreign":              {other: "This entry is not part of the list any more"},
	"gone":                 {other: "Something chosen here has been deleted meanwhile"},
	"hostname":             {other: "must be a host name"},
	"image":                {other: "must be an image that can be read: {formats}"},
	"image_size":           {other: "must have at most {pixels} pixels, {width} wide and {height} high"},
	"int_list":             {other: "must be whole numbers with commas between"},
	"invalid":              {other: "is not valid"},
	"ip":                   {other: "must be an IP address"},
	"items":                {"items", "must have exactly {items} item", "must have exactly {items} items"},
	"length":               {"length", "must have exactly {length} character", "must have exactly {length} characters"},
	"management":           {other: "The page sent its list incompletely. Load it again"},
	"max":                  {other: "must be at most {max}"},
	"max_items":            {"max", "must have at most {max} item", "must have at most {max} items"},
	"max_length":           {"max", "must have at most {max} character", "must have at most {max} characters"},
	"min":                  {other: "must be at least {min}"},
	"min_items":            {"min", "must have at least {min} item", "must have at least {min} items"},
	"min_length":           {"min", "must have at least {min} character", "must have at least {min} characters"},
	"multiple_of":          {other: "must be a multiple of {multiple_of}"},
	"not_pattern":          {other: "has a form that is not allowed"},
	"null_character":       {other: "must not contain the null character"},
	"one_of":               {other: "must be one of {choices}"},
	"pattern":              {other: "has the wrong form"},
	"protected":            {other: "An entry cannot be deleted: others refer to it"},
	"range":                {other: "must be between {min} and {max}"},
	"repeated":             {other: "is the same as in another entry"},
	"repeated:together":    {other: "Two entries have the same {fields}"},
	"required":             {other: "is required"},
	"single_line":          {other: "must be one line without control characters"},
	"skipped_time":         {other: "does not exist: the clocks were put forward then"},
	"slug":                 {other: "must consist of letters, digits, hyphens and underscores"},
	"taken":                {other: "is taken already"},
	"taken:together":       {other: "{model} with this {fields} exists already"},
	"too_deep":             {other: "is nested too deeply"},
	"too_few":              {"min", "Fill in at least {min} entry", "Fill in at least {min} entries"},
	"too_many":             {"max", "Send at most {max} entry", "Send at most {max} entries"},
	"type":                 {other: "has the wrong type"},
	"type:array":           {other: "must be a list"},
	"type:boolean":         {other: "must be true or false"},
	"type:color":           {other: "must be a colour such as #1a2b3c"},
	"type:date":            {other: "must be a date such as 2006-01-31"},
	"type:date-time":       {other: "must be a date and time such as 2006-01-02T15:04:05Z"},
	"type:duration":        {other: "must be a duration such as 1h30m"},
	"type:file":            {other: "must be an uploaded file"},
	"type:integer":         {other: "must be a whole number"},
	"type:json":            {other: "must be JSON"},
	"type:local-date-time": {other: "must be a date and time such as 2006-01-31T15:04"},
	"type:month":           {other: "must be a month such as 2006-01"},
	"type:number":          {other: "must be a number"},
	"type:object":          {other: "must be an object"},
	"type:string":          {other: "must be text"},
	"type:time":            {other: "must be a time such as 15:04"},
	"type:week":            {other: "must be a week such as 2006-W05"},
	"unique":               {other: "must not contain the same item twice"},
	"unknown":              {other: "is not a known field"},
	"url":                  {other: "must be a URL that begins with {schemes}"},
	"uuid":                 {other: "must be a UUID"},
}

// Message makes the English sentence of a code, for instance "must have at
// least 3 characters" for "min_length" and {"min": 3}. A code that is not known
// gives "is not valid".
func Message(code string, params map[string]any) string {
	one, other, plural := Template(code, params)
	if plural {
		return Fill(other, params)
	}
	return Fill(one, params)
}

// Template returns the sentence of a code before its parameters are filled in,
// for one and for several, with names in braces: "must have at least {min}
// character". These two are the keys under which a translation is looked up;
// plural says which of them English takes for the parameters. Sentences that
// count nothing have both alike.
func Template(code string, params map[string]any) (one, other string, plural bool) {
	s := sentenceOf(code, params)
	if s.count == "" {
		return s.other, s.other, false
	}
	return s.one, s.other, fmt.Sprint(params[s.count]) != "1"
}

// Count returns the number that the sentence of a code counts by, for languages with
// other plurals than English. ok is false for a sentence that counts nothing.
func Count(code string, params map[string]any) (n int, ok bool) {
	s := sentenceOf(code, params)
	if s.count == "" {
		return 0, false
	}
	v := reflect.ValueOf(params[s.count])
	switch {
	case v.CanInt():
		return int(v.Int()), true
	case v.CanUint():
		return int(min(v.Uint(), math.MaxInt)), true
	}
	n, err := strconv.Atoi(fmt.Sprint(params[s.count]))
	return n, err == nil
}

// sentenceOf finds the sentence of a code, or of its variant: of a type, or for several
// values together.
func sentenceOf(code string, params map[string]any) sentence {
	key := code
	if kind, ok := params["type"].(string); ok && code == "type" {
		key = code + ":" + kind
	} else if _, together := params["fields"].(string); together {
		key = code + ":together"
	}
	s, ok := sentences[key]
	if !ok {
		s, ok = customSentence(code)
	}
	if !ok {
		if s, ok = sentences[code]; !ok {
			s = sentences["invalid"]
		}
	}
	return s
}

// Fill puts params in the place of their names in braces. A name without a
// parameter is left as it stands.
func Fill(template string, params map[string]any) string {
	if len(params) == 0 || !strings.Contains(template, "{") {
		return template
	}
	var b strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			break
		}
		size := strings.IndexByte(template[open:], '}')
		if size < 0 {
			break
		}
		value, ok := params[template[open+1:open+size]]
		if ok {
			b.WriteString(template[:open])
			b.WriteString(word(value))
		} else {
			b.WriteString(template[:open+size+1])
		}
		template = template[open+size+1:]
	}
	b.WriteString(template)
	return b.String()
}

func word(value any) string {
	if list, ok := value.([]string); ok {
		if n := len(list); n > 1 {
			return strings.Join(list[:n-1], ", ") + " or " + list[n-1]
		}
		return strings.Join(list, "")
	}
	return fmt.Sprint(value)
}
