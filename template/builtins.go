package template

// builtinFilters are Jinja's filters. Parameters have the names templates may
// give them by; the filtered value is not among them.
var builtinFilters = [...]filterDef{
	{name: "abs", fn: filterAbs},
	{name: "attr", params: "name", required: 1, fn: filterAttr},
	{name: "batch", params: "linecount,fill_with", required: 1, fn: filterBatch},
	{name: "capitalize", fn: filterCapitalize},
	{name: "center", params: "width", fn: filterCenter},
	{name: "count", fn: filterLength},
	{name: "d", params: "default_value,boolean", fn: filterDefault},
	{name: "default", params: "default_value,boolean", fn: filterDefault},
	{name: "dictsort", params: "case_sensitive,by,reverse", fn: filterDictsort},
	{name: "e", fn: filterEscape},
	{name: "escape", fn: filterEscape},
	{name: "filesizeformat", params: "binary", fn: filterFilesizeformat},
	{name: "first", fn: filterFirst},
	{name: "float", params: "default", fn: filterFloat},
	{name: "forceescape", fn: filterForceEscape},
	{name: "format", free: filterFormat},
	{name: "groupby", params: "attribute,default,case_sensitive", required: 1, fn: filterGroupby},
	{name: "indent", params: "width,first,blank", fn: filterIndent},
	{name: "int", params: "default,base", fn: filterInt},
	{name: "items", fn: filterItems},
	{name: "join", params: "d,attribute", fn: filterJoin},
	{name: "last", fn: filterLast},
	{name: "length", fn: filterLength},
	{name: "list", fn: filterList},
	{name: "lower", fn: filterLower},
	{name: "map", free: filterMap},
	{name: "max", params: "case_sensitive,attribute", fn: filterMax},
	{name: "min", params: "case_sensitive,attribute", fn: filterMin},
	{name: "pprint", fn: filterPprint},
	{name: "random", fn: filterRandom},
	{name: "reject", free: filterReject},
	{name: "rejectattr", free: filterRejectattr},
	{name: "replace", params: "old,new,count", required: 2, fn: filterReplace},
	{name: "reverse", fn: filterReverse},
	{name: "round", params: "precision,method", fn: filterRound},
	{name: "safe", fn: filterSafe},
	{name: "select", free: filterSelect},
	{name: "selectattr", free: filterSelectattr},
	{name: "slice", params: "slices,fill_with", required: 1, fn: filterSlice},
	{name: "sort", params: "reverse,case_sensitive,attribute", fn: filterSort},
	{name: "string", fn: filterString},
	{name: "striptags", fn: filterStriptags},
	{name: "sum", params: "attribute,start", fn: filterSum},
	{name: "title", fn: filterTitle},
	{name: "tojson", params: "indent", fn: filterTojson},
	{name: "trim", params: "chars", fn: filterTrim},
	{name: "truncate", params: "length,killwords,end,leeway", fn: filterTruncate},
	{name: "unique", params: "case_sensitive,attribute", fn: filterUnique},
	{name: "upper", fn: filterUpper},
	{name: "urlencode", fn: filterUrlencode},
	{name: "urlize", params: "trim_url_limit,nofollow,target,rel,extra_schemes", fn: filterUrlize},
	{name: "wordcount", fn: filterWordcount},
	{name: "wordwrap", params: "width,break_long_words,wrapstring,break_on_hyphens", fn: filterWordwrap},
	{name: "xmlattr", params: "autospace", fn: filterXmlattr},
}

func filterDefault(_ *frame, in value, a []value) value {
	if in.isUndefined() || a[1].given() && a[1].truth() && !in.truth() {
		if a[0].given() {
			return a[0]
		}
		return empty
	}
	return in
}

func filterAttr(f *frame, in value, a []value) value {
	name := a[0].plain()
	if name.isString() {
		if v, ok := attribute(f.x, in, name.str()); ok {
			return v
		}
		return missingAttribute(f.x.engine.options.Undefined, in, name)
	}
	panic(runtimeError("attr: the attribute's name must be a string, not '%s'", name.typeName()))
}

func filterPprint(_ *frame, in value, _ []value) value {
	return stringValue(string(prettyPrint(in)))
}

// builtinTests are Jinja's tests.
var builtinTests = [...]testDef{
	{name: "!=", params: "b", fn: testNe},
	{name: "<", params: "b", fn: testLt},
	{name: "<=", params: "b", fn: testLe},
	{name: "==", params: "b", fn: testEq},
	{name: ">", params: "b", fn: testGt},
	{name: ">=", params: "b", fn: testGe},
	{name: "boolean", fn: testBoolean},
	{name: "callable", fn: testCallable},
	{name: "defined", fn: testDefined},
	{name: "divisibleby", params: "num", fn: testDivisibleby},
	{name: "eq", params: "b", fn: testEq},
	{name: "equalto", params: "b", fn: testEq},
	{name: "escaped", fn: testEscaped},
	{name: "even", fn: testEven},
	{name: "false", fn: testFalse},
	{name: "filter", fn: testFilter},
	{name: "float", fn: testFloat},
	{name: "ge", params: "b", fn: testGe},
	{name: "greaterthan", params: "b", fn: testGt},
	{name: "gt", params: "b", fn: testGt},
	{name: "in", params: "seq", fn: testIn},
	{name: "integer", fn: testInteger},
	{name: "iterable", fn: testIterable},
	{name: "le", params: "b", fn: testLe},
	{name: "lessthan", params: "b", fn: testLt},
	{name: "lower", fn: testLower},
	{name: "lt", params: "b", fn: testLt},
	{name: "mapping", fn: testMapping},
	{name: "ne", params: "b", fn: testNe},
	{name: "none", fn: testNone},
	{name: "number", fn: testNumber},
	{name: "odd", fn: testOdd},
	{name: "sameas", params: "other", fn: testSameas},
	{name: "sequence", fn: testSequence},
	{name: "string", fn: testString},
	{name: "test", fn: testTest},
	{name: "true", fn: testTrue},
	{name: "undefined", fn: testUndefined},
	{name: "upper", fn: testUpper},
}

func testEq(_ *frame, in value, a []value) bool { return equal(in, a[0]) }
func testNe(_ *frame, in value, a []value) bool { return !equal(in, a[0]) }
func testLt(_ *frame, in value, a []value) bool { return ordered("<", in, a[0]) }
func testLe(_ *frame, in value, a []value) bool { return ordered("<=", in, a[0]) }
func testGt(_ *frame, in value, a []value) bool { return ordered(">", in, a[0]) }
func testGe(_ *frame, in value, a []value) bool { return ordered(">=", in, a[0]) }

func testBoolean(_ *frame, in value, _ []value) bool { return in.plain().kind == kindBool }

func testCallable(_ *frame, in value, _ []value) bool { return callable(in) }

func testDefined(_ *frame, in value, _ []value) bool { return !in.isUndefined() }

func testUndefined(_ *frame, in value, _ []value) bool { return in.isUndefined() }

func testDivisibleby(f *frame, in value, a []value) bool {
	return equal(modulo(f.x, in, a[0]), intValue(0))
}

func testEven(f *frame, in value, _ []value) bool {
	return equal(modulo(f.x, in, intValue(2)), intValue(0))
}

func testOdd(f *frame, in value, _ []value) bool {
	return equal(modulo(f.x, in, intValue(2)), intValue(1))
}

func testEscaped(_ *frame, in value, _ []value) bool { return isEscaped(in) }

func testFalse(_ *frame, in value, _ []value) bool { return in.kind == kindBool && !in.bool() }

func testTrue(_ *frame, in value, _ []value) bool { return in.kind == kindBool && in.bool() }

func testFilter(f *frame, in value, _ []value) bool {
	keyOf(in) // fails on what cannot be a name at all
	return in.isString() && f.x.engine.filters[in.str()] != nil
}

func testTest(f *frame, in value, _ []value) bool {
	keyOf(in)
	return in.isString() && f.x.engine.tests[in.str()] != nil
}

func testFloat(_ *frame, in value, _ []value) bool { return in.plain().kind == kindFloat }

func testIn(f *frame, in value, a []value) bool { return contains(f.x, a[0], in) }

func testInteger(_ *frame, in value, _ []value) bool {
	k := in.plain().kind
	return k == kindInt || k == kindBig
}

func testIterable(f *frame, in value, _ []value) bool {
	var c cursor
	return c.tryStart(f.x, in)
}

func testLower(_ *frame, in value, _ []value) bool { return isLower(in.text()) }

func testUpper(_ *frame, in value, _ []value) bool { return isUpper(in.text()) }

func testMapping(_ *frame, in value, _ []value) bool { return in.isMapping() }

func testNone(_ *frame, in value, _ []value) bool { return in.kind == kindNone }

func testNumber(_ *frame, in value, _ []value) bool { return in.plain().isNumber() }

func testSameas(_ *frame, in value, a []value) bool { return identical(in, a[0]) }

func testSequence(_ *frame, in value, _ []value) bool {
	switch in.kind {
	case kindString, kindSafe, kindList, kindTuple, kindDict, kindRange:
		return true
	case kindUndefined:
		return in.undefined().mode != UndefinedStrict
	case kindGo:
		_, ok := lengthOf(in)
		return ok
	}
	return false
}

func testString(_ *frame, in value, _ []value) bool { return in.plain().isString() }
