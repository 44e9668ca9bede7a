package template

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort/internal/closest"
)

// Options configure an [Engine]. The zero value is Jinja's default with
// autoescape for HTML.
type Options struct {
	// Loader is where named templates come from. Default: none, only
	// [Engine.FromString] works.
	Loader Loader
	// AutoReload asks the loader each time whether a template has changed.
	// Default: false; templates are compiled once.
	AutoReload bool
	// CacheSize is how many compiled templates are kept; those that have not
	// been used for the longest make room. Default: 1,000; a negative number
	// means all.
	CacheSize int
	// Autoescape says by a template's name whether what it prints is escaped
	// as HTML. Default: [AutoescapeHTML].
	Autoescape func(name string) bool
	// Contextual makes what is autoescaped fit its place: text, attributes,
	// addresses, scripts and styles each have rules of their own, as in
	// html/template. Templates in which the place of a value cannot be told
	// are errors. Default: false, escaping is Jinja's, for text everywhere.
	Contextual bool
	// Undefined is how missing values behave.
	Undefined UndefinedMode

	// The delimiters. Defaults: {% %}, {{ }} and {# #}.
	BlockStart, BlockEnd       string
	VariableStart, VariableEnd string
	CommentStart, CommentEnd   string
	// LineStatementPrefix makes a line that begins with it a statement, and
	// LineCommentPrefix the rest of a line a comment. Default: none.
	LineStatementPrefix, LineCommentPrefix string
	// TrimBlocks removes the newline after a block tag, LstripBlocks the
	// whitespace between the begin of a line and a block tag.
	TrimBlocks, LstripBlocks bool
	// KeepTrailingNewline keeps the newline at the end of a template.
	KeepTrailingNewline bool
	// NewlineSequence is what a newline of the source becomes: "\n", "\r\n"
	// or "\r". Default: "\n".
	NewlineSequence string

	// Extensions turns further tags on.
	Extensions Extensions
	// Globals are names every template sees.
	Globals map[string]any
	// Filters and Tests are functions under the names templates call them by:
	// a [Func], or a Go function whose first parameter is the value and whose
	// others are the arguments. A test gives a bool. They replace built-in
	// ones of the same name.
	Filters, Tests map[string]any
	// Tags are tags of the program's own, by name.
	Tags map[string]Tag
	// Translator is asked by the trans tag and the functions gettext,
	// ngettext, pgettext, npgettext and _, with Extensions.I18n.
	Translator Translator
	// NewStyle makes the gettext functions expand their keyword arguments
	// into the translation themselves, with escaping.
	NewStyle bool
	// Policies adjust single filters.
	Policies Policies
	// Finalize is applied to every value before it is printed.
	Finalize func(any) any
	// FragmentCache keeps what the tag cache renders. Default: none; the tag
	// renders each time.
	FragmentCache FragmentCache
	// Localizer writes dates and numbers as the reader is used to. Default:
	// as in American English.
	Localizer Localizer
	// Location is the time zone that dates are shown in, unless
	// [Execution.Location] is another one. Default: their own.
	Location *time.Location
	// Now is the clock of {% now %}, timesince and the like. Default: [time.Now].
	Now func() time.Time
	// Sandbox restricts what templates may reach. Default: none; they may read
	// every exported field and call every method of what they are shown.
	Sandbox *Sandbox
	// Limits keep a single render from taking the whole machine.
	Limits Limits
}

// Extensions are tags that have to be asked for.
type Extensions struct {
	Do           bool // {% do expression %}
	LoopControls bool // {% break %} and {% continue %}
	I18n         bool // {% trans %} and the gettext functions
	Debug        bool // {% debug %}: what is in reach; never in production
	// Django turns on the tags and filters of Django's templates that Jinja
	// lacks, under their names there: cycle, ifchanged, regroup, partialdef and
	// so on, dates by their letters, slugify, pluralize, intcomma and so on.
	Django bool
}

// Policies are the settings of single filters.
type Policies struct {
	// TruncateLeeway is by how much a text may exceed the length given to
	// truncate. Default: 5; a negative number means 0.
	TruncateLeeway int
	// UrlizeRel is added to the rel attribute of links made by urlize.
	// Default: "noopener"; "-" means none.
	UrlizeRel string
	// UrlizeTarget is the target attribute of such links. Default: none.
	UrlizeTarget string
	// UrlizeExtraSchemes are prefixes such as "ftp:" that urlize links too.
	UrlizeExtraSchemes []string
	// JSONKeepOrder keeps the order of mappings in tojson instead of sorting keys.
	JSONKeepOrder bool
	// JSONUnicode leaves letters beyond ASCII as they are in tojson.
	JSONUnicode bool
	// JSONCompact leaves out the spaces after separators in tojson.
	JSONCompact bool
	// JSONIndent is what tojson begins a line with for each level, where it
	// has no argument of its own. Default: none, all stands on one line.
	JSONIndent string
	// TrimTranslations makes every trans tag a trimmed one.
	TrimTranslations bool
}

// Limits bound a render. Zero values are replaced by the defaults.
type Limits struct {
	// Output is the number of bytes a render may produce, and a single string
	// may have. Default: 64 MiB.
	Output int
	// Range is how long a range may be that is gone through. Default: 1,000,000.
	Range int
	// Items is how long a computed list may be. Default: 4,000,000.
	Items int
	// Depth is how deep macros, includes, blocks and recursive loops may call
	// each other. Default and most: 500.
	Depth int
	// Steps is how many rounds of loops and calls a render may take.
	// Default: 100,000,000.
	Steps int64
}

// Engine compiles and caches templates. It is safe for concurrent use.
type Engine struct {
	options Options
	limits  Limits
	syntax  syntax
	globals map[string]value
	filters map[string]*filterDef
	tests   map[string]*testDef
	tags    map[string]*tagDef

	cache templateCache
}

// AutoescapeHTML is the default of [Options.Autoescape]: on for names ending
// in .html, .htm, .xml, .xhtml or .svg in any case, and for inline templates,
// which have no name.
func AutoescapeHTML(name string) bool {
	if name == "" {
		return true
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	switch strings.ToLower(name[dot:]) {
	case ".html", ".htm", ".xml", ".xhtml", ".svg":
		return true
	}
	return false
}

// New returns an engine. It fails if the options contradict each other or a
// filter, test or global is of a kind that cannot be used.
func New(o Options) (*Engine, error) {
	e := &Engine{options: o}
	e.cache.size = o.CacheSize
	if e.options.Autoescape == nil {
		e.options.Autoescape = AutoescapeHTML
	}
	if err := e.prepareSyntax(); err != nil {
		return nil, err
	}
	e.limits = o.Limits
	fallback := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	fallback(&e.limits.Output, 64<<20)
	if o.Sandbox != nil {
		fallback(&e.limits.Range, sandboxRange)
	}
	fallback(&e.limits.Range, 1_000_000)
	fallback(&e.limits.Items, 4_000_000)
	fallback(&e.limits.Depth, maxRenderDepth)
	e.limits.Depth = min(e.limits.Depth, maxRenderDepth)
	if e.limits.Steps <= 0 {
		e.limits.Steps = 100_000_000
	}
	if o.Sandbox != nil {
		for _, operator := range sortedKeys(o.Sandbox.Operators) {
			if !slices.Contains(operators[:], operator) {
				return nil, fmt.Errorf("template: Sandbox.Operators: %q is not one of %s", operator, strings.Join(operators[:], " "))
			}
		}
	}
	if err := e.register(); err != nil {
		return nil, err
	}
	return e, nil
}

// maxRenderDepth keeps the worst template within a few hundred megabytes of stack.
const maxRenderDepth = 500

func (e *Engine) prepareSyntax() error {
	o := &e.options
	or := func(s, fallback string) string {
		if s == "" {
			return fallback
		}
		return s
	}
	e.syntax = syntax{
		blockStart: or(o.BlockStart, "{%"), blockEnd: or(o.BlockEnd, "%}"),
		variableStart: or(o.VariableStart, "{{"), variableEnd: or(o.VariableEnd, "}}"),
		commentStart: or(o.CommentStart, "{#"), commentEnd: or(o.CommentEnd, "#}"),
		lineStatement: o.LineStatementPrefix, lineComment: o.LineCommentPrefix,
		django:     o.Extensions.Django,
		trimBlocks: o.TrimBlocks, lstripBlocks: o.LstripBlocks, keepTrailingNewline: o.KeepTrailingNewline,
		newline: or(o.NewlineSequence, "\n"),
	}
	s := &e.syntax
	if s.blockStart == s.variableStart || s.blockStart == s.commentStart || s.variableStart == s.commentStart {
		return errors.New("template: the start delimiters of blocks, variables and comments must differ")
	}
	switch s.newline {
	case "\n", "\r\n", "\r":
	default:
		return fmt.Errorf("template: NewlineSequence must be \"\\n\", \"\\r\\n\" or \"\\r\", not %q", s.newline)
	}
	s.prepare()
	return nil
}

// register collects the built-in filters, tests and globals and those of the
// options.
func (e *Engine) register() error {
	e.filters = make(map[string]*filterDef, len(builtinFilters)+len(e.options.Filters))
	for i := range builtinFilters {
		e.filters[builtinFilters[i].name] = &builtinFilters[i]
	}
	if e.options.Extensions.Django {
		for i := range djangoFilters {
			e.filters[djangoFilters[i].name] = &djangoFilters[i]
		}
	}
	if e.options.Contextual {
		for i := range trustFilters {
			e.filters[trustFilters[i].name] = &trustFilters[i]
		}
	}
	for name, f := range e.options.Filters {
		fn, err := functionOf("filter", name, f)
		if err != nil {
			return err
		}
		e.filters[name] = &filterDef{name: name, function: fn}
	}
	e.tests = make(map[string]*testDef, len(builtinTests)+len(e.options.Tests))
	for i := range builtinTests {
		e.tests[builtinTests[i].name] = &builtinTests[i]
	}
	for name, f := range e.options.Tests {
		fn, err := functionOf("test", name, f)
		if err != nil {
			return err
		}
		e.tests[name] = &testDef{name: name, function: fn}
	}
	e.tags = make(map[string]*tagDef, len(e.options.Tags))
	for name, t := range e.options.Tags {
		def, err := newTag(name, t)
		if err != nil {
			return err
		}
		e.tags[name] = def
	}
	e.globals = map[string]value{}
	for i := range builtinGlobals {
		e.globals[builtinGlobals[i].name] = objectValue(&builtinGlobals[i])
	}
	if e.options.Extensions.I18n {
		e.installTranslations()
	}
	for name, g := range e.options.Globals {
		if rv := reflect.ValueOf(g); rv.Kind() == reflect.Func && !rv.IsNil() {
			if _, err := signatureOf(rv.Type()); err != nil {
				return fmt.Errorf("template: the global function %q has a parameter that cannot be used: %w", name, err)
			}
		}
		e.globals[name] = named(name, fromAny(g))
	}
	return nil
}

func (e *Engine) filterNames() []string { return sortedKeys(e.filters) }

func (e *Engine) testNames() []string { return sortedKeys(e.tests) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Template is a compiled template. It is safe for concurrent use.
type Template struct {
	engine     *Engine
	name, path string
	source     string // normalized
	autoescape bool
	// contextual says that values are escaped by where they stand. Then extent
	// is where the template begins and ends, failure is why it cannot stand
	// there, and variants are its versions for other places.
	contextual bool
	extent     extent
	failure    *Error
	variants   variants[*Template]
	lookups    map[string]bool // filled while compiling, if it is there
	changed    func() bool
	main       execFunc
	mainSelf   int
	part       string    // the only block that is rendered; empty: all
	whole      *Template // of a part
	slots      int
	hasBase    bool
	blocks     map[string]*block
	order      []string
	table      *blockTable // nil without blocks
}

// Name is the name the template was loaded by, empty for an inline one.
func (t *Template) Name() string { return t.name }

// Path is where the loader found it, if it said so.
func (t *Template) Path() string { return t.path }

// Blocks lists the names of the blocks the template defines itself, in order.
func (t *Template) Blocks() []string { return slices.Clone(t.order) }

// Get returns the template of that name, compiled at the first call. A missing
// one is an *Error of kind [NotFound], which is also [fs.ErrNotExist]. With
// Extensions.Django "file#part" is a single block or partial of a template.
func (e *Engine) Get(name string) (*Template, error) {
	return whole(e.get(name))
}

// whole refuses a template that cannot be rendered by itself, though perhaps
// as a part of another one.
func whole(t *Template, err error) (*Template, error) {
	if err == nil && t.failure != nil {
		return nil, t.failure
	}
	return t, err
}

func (e *Engine) get(name string) (*Template, error) {
	if file, part, ok := strings.Cut(name, "#"); ok && e.options.Extensions.Django {
		return e.part(file, part)
	}
	t := e.cache.get(name)
	if t != nil && (!e.options.AutoReload || t.changed == nil || !t.changed()) {
		return t, nil
	}
	t, err := e.load(name)
	if err != nil {
		return nil, err
	}
	return e.cache.put(name, t, e.options.AutoReload), nil
}

func (e *Engine) load(name string) (*Template, error) {
	if e.options.Loader == nil {
		return nil, &Error{Kind: NotFound, Name: name, Message: "not found: the engine has no loader"}
	}
	src, err := e.options.Loader.Load(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{Kind: NotFound, Name: name, Message: "not found" + e.suggestion(name), Cause: err}
		}
		return nil, &Error{Kind: Runtime, Name: name, Message: err.Error(), Cause: err}
	}
	return e.build(name, src)
}

// part gives a template of which only one block is rendered.
func (e *Engine) part(file, part string) (*Template, error) {
	t, err := e.get(file)
	if err != nil {
		return nil, err
	}
	if t.blocks[part] == nil && !t.hasBase {
		message := "the template has no block or partial '" + part + "'"
		if near := closest.Name(part, slices.Values(t.order)); near != "" {
			message += "; did you mean '" + near + "'?"
		}
		return nil, &Error{Kind: NotFound, Name: file, Path: t.path, Message: message, Cause: fs.ErrNotExist}
	}
	return t.partAt(part, extent{}), nil
}

// partAt is one block of the template as it must be in a place.
func (t *Template) partAt(part string, at extent) *Template {
	return &Template{
		engine: t.engine, name: t.name, path: t.path, source: t.source, changed: t.changed,
		autoescape: t.autoescape, contextual: t.contextual, extent: at, table: t.table, part: part, whole: t,
	}
}

// suggestion names the template that was probably meant.
func (e *Engine) suggestion(name string) string {
	names, err := e.Names()
	if err != nil || len(names) > 5000 || len(name) > 200 {
		return ""
	}
	if near := closest.Name(name, slices.Values(names)); near != "" {
		return "; did you mean '" + near + "'?"
	}
	return ""
}

// Select returns the first of the templates that exists.
func (e *Engine) Select(names ...string) (*Template, error) {
	for _, name := range names {
		t, err := e.Get(name)
		if err == nil {
			return t, nil
		}
		var te *Error
		if !errors.As(err, &te) || te.Kind != NotFound || te.Name != name {
			return nil, err
		}
	}
	return nil, &Error{Kind: NotFound, Message: "none of the templates exists: " + strings.Join(names, ", ")}
}

// FromString compiles an inline template; it is not cached.
func (e *Engine) FromString(source string) (*Template, error) {
	return whole(e.build("", Source{Text: source}))
}

func (e *Engine) build(name string, src Source) (*Template, error) {
	return e.assemble(name, src, parse)
}

// assemble compiles what read gives.
func (e *Engine) assemble(name string, src Source, read func(*Engine, string) ([]statement, []*Error)) (*Template, error) {
	if len(src.Text) > maxSource {
		return nil, &Error{Kind: Syntax, Name: name, Path: src.Path, Message: "the template is larger than 1 GiB"}
	}
	t := &Template{engine: e, name: name, path: src.Path, changed: src.Changed, source: e.syntax.normalize(src.Text)}
	t.autoescape = e.options.Autoescape(name)
	t.contextual = t.autoescape && e.options.Contextual
	body, errs := read(e, t.source)
	errs = append(errs, t.compile(body, t.autoescape)...)
	if len(errs) > 0 {
		return nil, t.syntaxErrors(errs)
	}
	t.table = t.newBlockTable()
	return t, nil
}

// maxSource keeps offsets within a spot.
const maxSource = 1 << 30

// syntaxErrors gives the first error of the template, which knows the others.
func (t *Template) syntaxErrors(errs []*Error) *Error {
	slices.SortStableFunc(errs, func(a, b *Error) int { return cmp.Compare(a.at, b.at) })
	for _, e := range errs {
		e.locate(t.name, t.path, t.source)
	}
	errs[0].More = errs[1:min(len(errs), maxSyntaxErrors)]
	return errs[0]
}

// Names lists the templates the loader has, sorted; it fails if the loader
// cannot tell.
func (e *Engine) Names() ([]string, error) {
	l, ok := e.options.Loader.(Lister)
	if !ok {
		return nil, errors.New("template: the loader cannot list its templates")
	}
	names, err := l.Names()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// buffers are reused between renders; what they held has been written out.
var buffers sync.Pool

// Execute renders to w. Nothing is written if rendering fails.
func (t *Template) Execute(w io.Writer, in Execution) error {
	held, _ := buffers.Get().(*[]byte)
	if held == nil {
		held = new([]byte)
	}
	out, err := t.Append((*held)[:0], in)
	if err == nil {
		_, err = w.Write(out)
		if cap(out) <= largestBuffer {
			*held = out
		}
	}
	buffers.Put(held)
	return err
}

// Append renders and appends the output to dst. With an error dst is returned
// as it was.
func (t *Template) Append(dst []byte, in Execution) ([]byte, error) {
	x := t.newExec(dst, in)
	out, err := x.run(func() { x.renderMain(t, x.mainContext()) })
	if err != nil {
		return dst, err
	}
	return out, nil
}

// AppendBlock renders one block, with the variables, macros and imports of the
// template's top level and of the templates it extends in reach.
func (t *Template) AppendBlock(dst []byte, name string, in Execution) ([]byte, error) {
	x := t.newExec(dst, in)
	out, err := x.run(func() {
		x.renderPart(t, name, extent{}, x.mainContext())
	})
	if err != nil {
		return dst, err
	}
	return out, nil
}

// renderPart renders one block of a template after its top level.
func (x *exec) renderPart(t *Template, name string, at extent, ctx *runContext) {
	start, off := x.hold(), x.blocksOff
	x.blocksOff = true
	x.renderTop(t, ctx)
	x.blocksOff = off
	x.takeBack(start)
	if len(ctx.blocks[name]) == 0 {
		panic(&Error{Kind: NotFound, Name: t.name, Path: t.path, Message: "the template has no block '" + name + "'"})
	}
	ctx.renderBlock(name, 0, at)
}

func (e *Engine) now() time.Time {
	if e.options.Now != nil {
		return e.options.Now()
	}
	return time.Now()
}
