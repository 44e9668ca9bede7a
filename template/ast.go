package template

// The syntax tree. Nodes know their place; expressions that cannot fail do not.

type (
	expression interface{}
	statement  interface{}
)

type (
	// constant is a literal.
	constant struct{ v value }
	// dataText is template text inside an output; it is never escaped.
	dataText struct{ text string }
	nameExpr struct {
		name  string
		store bool
		at    spot
	}
	// namespaceRef is the target of {% set ns.attr = … %}.
	namespaceRef struct{ name, attr string }
	attrExpr     struct {
		obj  expression
		name string
		at   spot
	}
	itemExpr   struct{ obj, key expression }
	sliceExpr  struct{ start, stop, step expression } // absent parts are nil
	keywordArg struct {
		name string
		e    expression
	}
	arguments struct {
		pos         []expression
		kw          []keywordArg
		dynPos, dyn expression // *args and **kwargs
	}
	callExpr struct {
		fn   expression
		args arguments
		at   spot
	}
	filterExpr struct {
		in   expression // nil for what a block captured
		name string
		args arguments
		at   spot
	}
	testExpr struct {
		in   expression
		name string
		args arguments
		at   spot
	}
	listExpr  struct{ items []expression }
	tupleExpr struct {
		items []expression
	}
	dictExpr  struct{ keys, vals []expression }
	unaryExpr struct {
		op string // not, -, +
		e  expression
	}
	binaryExpr struct {
		op   string // and, or, + - * / // % **
		a, b expression
	}
	concatExpr  struct{ items []expression }
	compareExpr struct {
		first expression
		ops   []string
		rest  []expression
	}
	condExpr struct {
		test, yes, no expression // no may be nil
		at            spot
	}
	// trustedExpr marks a translation as safe where autoescape is on.
	trustedExpr struct{ e expression }
)

type (
	outputNode struct {
		parts []expression
		at    spot
	}
	forNode struct {
		target, iter, test expression
		body, orElse       []statement
		recursive          bool
		at                 spot
	}
	ifNode struct {
		test   expression
		body   []statement
		elifs  []*ifNode
		orElse []statement
		at     spot
	}
	macroNode struct {
		name     string // empty for the body of a call block
		params   []*nameExpr
		defaults []expression
		body     []statement
		at       spot
	}
	callNode struct {
		macro *macroNode
		call  *callExpr
		at    spot
	}
	filterNode struct {
		filter *filterExpr
		body   []statement
		at     spot
	}
	withNode struct {
		targets, values []expression
		body            []statement
		at              spot
	}
	settingNode struct {
		e     expression
		apply func(x *exec, v value)
		body  []statement
		at    spot
	}
	blockNode struct {
		name             string
		body             []statement
		scoped, required bool
		partial          partialKind
		at               spot
	}
	extendsNode struct {
		template expression
		at       spot
	}
	includeNode struct {
		template                   expression
		ignoreMissing, withContext bool
		// only lists the variables the template sees, if it sees no others.
		only []string
		at   spot
	}
	importNode struct {
		template    expression
		target      string
		withContext bool
		at          spot
	}
	fromImportNode struct {
		template    expression
		names       [][2]string // name there, name here
		withContext bool
		at          spot
	}
	setNode struct {
		target, e expression
		at        spot
	}
	setBlockNode struct {
		target expression
		filter *filterExpr
		body   []statement
		at     spot
	}
	autoescapeNode struct {
		e    expression
		body []statement
		at   spot
	}
	doNode struct {
		e  expression
		at spot
	}
	loopControlNode struct {
		stop bool // break, else continue
		at   spot
	}
	debugNode struct{ at spot }
)

// partialKind tells blocks made by partialdef and partial from others.
type partialKind uint8

const (
	partialNone  partialKind = iota
	partialApart             // defines the block without printing it
	partialUse               // prints a block that is defined elsewhere in the file
)

// walk calls visit for every node of the tree in source order; if visit
// returns false the node's children are left out.
func walk(n any, visit func(n any) bool) {
	if n == nil || !visit(n) {
		return
	}
	each := func(ns ...expression) {
		for _, n := range ns {
			if n != nil {
				walk(n, visit)
			}
		}
	}
	block := func(ns []statement) {
		for _, n := range ns {
			walk(n, visit)
		}
	}
	args := func(a *arguments) {
		each(a.pos...)
		for _, k := range a.kw {
			walk(k.e, visit)
		}
		each(a.dynPos, a.dyn)
	}
	switch n := n.(type) {
	case *attrExpr:
		walk(n.obj, visit)
	case *itemExpr:
		each(n.obj, n.key)
	case *sliceExpr:
		each(n.start, n.stop, n.step)
	case *callExpr:
		walk(n.fn, visit)
		args(&n.args)
	case *filterExpr:
		each(n.in)
		args(&n.args)
	case *testExpr:
		walk(n.in, visit)
		args(&n.args)
	case *listExpr:
		each(n.items...)
	case *tupleExpr:
		each(n.items...)
	case *dictExpr:
		for i := range n.keys {
			each(n.keys[i], n.vals[i])
		}
	case *unaryExpr:
		walk(n.e, visit)
	case *binaryExpr:
		each(n.a, n.b)
	case *concatExpr:
		each(n.items...)
	case *compareExpr:
		walk(n.first, visit)
		each(n.rest...)
	case *condExpr:
		each(n.test, n.yes, n.no)
	case *trustedExpr:
		walk(n.e, visit)
	case *outputNode:
		each(n.parts...)
	case *forNode:
		each(n.target, n.iter)
		block(n.body)
		block(n.orElse)
		each(n.test)
	case *ifNode:
		walk(n.test, visit)
		block(n.body)
		for _, e := range n.elifs {
			walk(e, visit)
		}
		block(n.orElse)
	case *macroNode:
		for _, p := range n.params {
			walk(p, visit)
		}
		each(n.defaults...)
		block(n.body)
	case *callNode:
		walk(n.call, visit)
		walk(n.macro, visit)
	case *filterNode:
		block(n.body)
		walk(n.filter, visit)
	case *withNode:
		each(n.targets...)
		each(n.values...)
		block(n.body)
	case *blockNode:
		block(n.body)
	case *extendsNode:
		walk(n.template, visit)
	case *includeNode:
		walk(n.template, visit)
	case *importNode:
		walk(n.template, visit)
	case *fromImportNode:
		walk(n.template, visit)
	case *setNode:
		each(n.target, n.e)
	case *setBlockNode:
		walk(n.target, visit)
		if n.filter != nil {
			walk(n.filter, visit)
		}
		block(n.body)
	case *autoescapeNode:
		walk(n.e, visit)
		block(n.body)
	case *settingNode:
		walk(n.e, visit)
		block(n.body)
	case *doNode:
		walk(n.e, visit)
	}
}
