package vectors

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/retort-web/retort/template"
)

// options are the settings of a vector, under the names of the set.
type options struct {
	Autoescape          json.RawMessage `json:"autoescape"`
	Undefined           string          `json:"undefined"`
	TrimBlocks          bool            `json:"trim_blocks"`
	LstripBlocks        bool            `json:"lstrip_blocks"`
	KeepTrailingNewline bool            `json:"keep_trailing_newline"`
	NewlineSequence     string          `json:"newline_sequence"`
	BlockStart          string          `json:"block_start_string"`
	BlockEnd            string          `json:"block_end_string"`
	VariableStart       string          `json:"variable_start_string"`
	VariableEnd         string          `json:"variable_end_string"`
	CommentStart        string          `json:"comment_start_string"`
	CommentEnd          string          `json:"comment_end_string"`
	LineStatement       string          `json:"line_statement_prefix"`
	LineComment         string          `json:"line_comment_prefix"`
	Extensions          []string        `json:"extensions"`
	I18n                *catalogue      `json:"i18n"`
	Policies            map[string]any  `json:"policies"`
	Globals             json.RawMessage `json:"globals"`
	Finalize            string          `json:"finalize"`
	Fixtures            bool            `json:"fixtures"`
}

// engineOptions are those of an engine set as the vector asks.
func (v *Vector) engineOptions() (template.Options, error) {
	var in options
	if len(v.Options) > 0 {
		if err := json.Unmarshal(v.Options, &in); err != nil {
			return template.Options{}, err
		}
	}
	o := template.Options{
		Loader:     template.Map(v.Files),
		Autoescape: autoescape(string(in.Autoescape)),
		Undefined: map[string]template.UndefinedMode{
			"strict": template.UndefinedStrict, "chainable": template.UndefinedChainable, "debug": template.UndefinedDebug,
		}[in.Undefined],
		TrimBlocks: in.TrimBlocks, LstripBlocks: in.LstripBlocks, KeepTrailingNewline: in.KeepTrailingNewline,
		NewlineSequence: in.NewlineSequence,
		BlockStart:      in.BlockStart, BlockEnd: in.BlockEnd, VariableStart: in.VariableStart, VariableEnd: in.VariableEnd,
		CommentStart: in.CommentStart, CommentEnd: in.CommentEnd,
		LineStatementPrefix: in.LineStatement, LineCommentPrefix: in.LineComment,
		Extensions: extensions(in.Extensions),
		Policies:   policies(in.Policies),
		Globals:    map[string]any{},
	}
	if in.I18n != nil {
		o.Translator, o.NewStyle = in.I18n, in.I18n.NewStyle
	}
	if len(in.Globals) > 0 {
		var names map[string]json.RawMessage
		if err := json.Unmarshal(in.Globals, &names); err != nil {
			return o, err
		}
		for name, raw := range names {
			g, err := decodeOrdered(raw)
			if err != nil {
				return o, err
			}
			o.Globals[name] = g
		}
	}
	if in.Fixtures {
		maps.Copy(o.Globals, fixtureGlobals())
		o.Filters, o.Tests = fixtureFilters(), fixtureTests()
	}
	if in.Finalize == "none_to_empty" {
		o.Finalize = func(a any) any {
			if a == nil {
				return ""
			}
			return a
		}
	}
	return o, nil
}

func autoescape(setting string) func(name string) bool {
	switch setting {
	case "true":
		return func(string) bool { return true }
	case `"select"`:
		return func(name string) bool {
			name = strings.ToLower(name)
			return name == "" || strings.HasSuffix(name, ".html") || strings.HasSuffix(name, ".htm") || strings.HasSuffix(name, ".xml")
		}
	}
	return func(string) bool { return false }
}

func extensions(names []string) (e template.Extensions) {
	for _, name := range names {
		switch name {
		case "i18n":
			e.I18n = true
		case "do":
			e.Do = true
		case "loopcontrols":
			e.LoopControls = true
		case "debug":
			e.Debug = true
		}
	}
	return e
}

// policies translates Jinja's policies. Where a zero value of ours means the
// default, another says what Jinja's means.
func policies(in map[string]any) (p template.Policies) {
	for name, v := range in {
		switch name {
		case "truncate.leeway":
			n, _ := v.(float64)
			if p.TruncateLeeway = int(n); n == 0 {
				p.TruncateLeeway = -1
			}
		case "urlize.rel":
			if p.UrlizeRel, _ = v.(string); p.UrlizeRel == "" {
				p.UrlizeRel = "-"
			}
		case "urlize.target":
			p.UrlizeTarget, _ = v.(string)
		case "ext.i18n.trimmed":
			p.TrimTranslations, _ = v.(bool)
		case "json.dumps_kwargs":
			kw, _ := v.(map[string]any)
			sorted, _ := kw["sort_keys"].(bool)
			p.JSONKeepOrder = !sorted
			if ascii, ok := kw["ensure_ascii"].(bool); ok {
				p.JSONUnicode = !ascii
			}
			if s, ok := kw["separators"].([]any); ok && len(s) == 2 && s[0] == "," {
				p.JSONCompact = true
			}
		}
	}
	return p
}
