package template

// Value is a value as a template has it. A [Func] takes one instead of the Go
// form where the difference shows: tuples stay tuples, lists stay the same
// lists, and what is undefined stays so. A Value may be given back, stored,
// and put into the data of a render.
type Value struct{ v value }

// Any is the value's Go form: a basic type, []any, map[string]any, Safe, nil
// for none and undefined, *big.Int, or the very Go value that came in.
func (w Value) Any() any { return w.v.toAny() }

// Text is the printed form, without escaping.
func (w Value) Text() string {
	if !w.v.given() {
		return ""
	}
	return w.v.text()
}

// Given reports whether an optional argument was given, see [Call.Values].
func (w Value) Given() bool { return w.v.given() }

// Defined reports whether there is a value; the zero Value is not defined.
func (w Value) Defined() bool { return !w.v.isUndefined() }

// Expression is a compiled expression of the template language, for rules and
// conditions that live outside of templates. It is safe for concurrent use.
type Expression struct{ t *Template }

// Expression compiles a single expression, such as "user.age >= 18".
func (e *Engine) Expression(source string) (*Expression, error) {
	const result = "result"
	t, err := e.assemble("", Source{Text: source}, func(e *Engine, source string) (body []statement, errs []*Error) {
		p := &parser{engine: e, source: source, tokens: e.syntax.expressionTokens(source)}
		p.guarded(func() {
			p.attempt(func() {
				value := p.tuple(tupleRules{conditions: true})
				p.expect(tokenEOF, "the end of the expression")
				body = append(body, &setNode{target: &nameExpr{name: result, store: true}, e: value, at: 1})
			})
		})
		return body, p.errs
	})
	if err != nil {
		return nil, err
	}
	return &Expression{t}, nil
}

// expressionTokens cuts the source of a single expression.
func (s *syntax) expressionTokens(src string) []token {
	l := &lexer{syntax: s, src: src}
	l.tag(tokenEOF, src+" ", false, false) // an end that cannot be found: all of it
	l.emit(tokenEOF, "")
	return l.tokens
}

// Eval gives the expression's value. A name that does not exist gives an
// undefined value, not an error.
func (e *Expression) Eval(in Execution) (Value, error) {
	x := e.t.newExec(nil, in)
	var out Value
	_, err := x.run(func() {
		ctx := x.mainContext()
		x.renderMain(e.t, ctx)
		out.v = ctx.vars["result"]
	})
	return out, err
}
