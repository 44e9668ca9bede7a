package orm

import (
	"reflect"
	"slices"
)

// partsOf lists the expressions that an expression of the same SELECT is made of.
// Those of a subquery are not among them.
func partsOf(e expr) []expr {
	switch e := e.(type) {
	case *compare:
		return []expr{e.left, e.right}
	case *isNull:
		return []expr{e.of}
	case *between:
		return []expr{e.of, e.low, e.high}
	case *inList:
		return append([]expr{e.of}, e.values...)
	case *inQuery:
		return []expr{e.of}
	case *match:
		return []expr{e.of}
	case *logic:
		return e.kids
	case *not:
		return []expr{e.kid}
	case *truth:
		return []expr{e.cond}
	case *aggregate:
		return []expr{e.of}
	case interface{ parts() []expr }:
		return e.parts()
	}
	return nil
}

// find reports whether e, or a part of it, is what f looks for.
func find(e expr, f func(expr) bool) bool {
	if e == nil {
		return false
	}
	return f(e) || slices.ContainsFunc(partsOf(e), func(part expr) bool { return find(part, f) })
}

// hasWindow reports whether a part of e is computed over a window.
func hasWindow(e expr) bool {
	return find(e, func(part expr) bool { _, ok := part.(*window); return ok })
}

// hasAggregate reports whether a part of e is an aggregate, of whichever rows.
func hasAggregate(e expr) bool {
	return find(e, func(part expr) bool { _, ok := part.(*aggregate); return ok })
}

// sameExpr reports whether two expressions say the same, so that one may stand for the
// other where a database compares their texts.
func sameExpr(a, b expr) bool { return reflect.DeepEqual(a, b) }
