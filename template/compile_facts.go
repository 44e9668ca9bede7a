package template

// facts are what is known about a piece of a template before it is compiled.
// They are found once for each tag, however deep tags are nested.
type facts struct {
	// read are the special names that are read before they are assigned, and
	// assigned those that are assigned. Blocks inside do not count.
	read, assigned specialNames
	// assignsLoop and scopedBlock take in the blocks inside: loop is assigned,
	// there is a scoped block.
	assignsLoop, scopedBlock bool
}

type specialNames uint8

const (
	nameLoop specialNames = 1 << iota
	nameSelf
	nameSuper
	nameCaller
	nameKwargs
	nameVarargs
)

func specialName(name string) specialNames {
	switch name {
	case "loop":
		return nameLoop
	case "self":
		return nameSelf
	case "super":
		return nameSuper
	case "caller":
		return nameCaller
	case "kwargs":
		return nameKwargs
	case "varargs":
		return nameVarargs
	}
	return 0
}

func (f facts) reads(name specialNames) bool { return f.read&name != 0 }

// then is what is known about f followed by g.
func (f facts) then(g facts) facts {
	return facts{
		read: f.read | g.read&^f.assigned, assigned: f.assigned | g.assigned,
		assignsLoop: f.assignsLoop || g.assignsLoop, scopedBlock: f.scopedBlock || g.scopedBlock,
	}
}

// bodyFacts are the facts of statements one after the other.
func (c *compiler) bodyFacts(body []statement) facts {
	var all facts
	for _, s := range body {
		all = all.then(c.factsOf(s))
	}
	return all
}

func (c *compiler) factsOf(n any) facts {
	if known, ok := c.facts[n]; ok {
		return known
	}
	var all facts
	walk(n, func(inner any) bool {
		if inner == n {
			return true
		}
		switch e := inner.(type) {
		case *nameExpr:
			all = all.then(e.facts())
		case *forNode, *ifNode, *macroNode, *callNode, *filterNode, *withNode, *blockNode, *setBlockNode, *autoescapeNode, *settingNode:
			all = all.then(c.factsOf(inner))
			return false
		}
		return true
	})
	switch n := n.(type) {
	case *outputNode, *setNode:
		return all // not worth remembering
	case *blockNode:
		all.read, all.assigned = 0, 0
		all.scopedBlock = all.scopedBlock || n.scoped
	}
	if c.facts == nil {
		c.facts = map[any]facts{}
	}
	c.facts[n] = all
	return all
}

func (n *nameExpr) facts() facts {
	name := specialName(n.name)
	if n.store {
		return facts{assigned: name, assignsLoop: name == nameLoop}
	}
	return facts{read: name}
}
