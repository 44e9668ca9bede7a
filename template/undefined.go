package template

import (
	"unsafe"
)

// UndefinedMode says how a name, attribute or element that does not exist
// behaves.
type UndefinedMode uint8

const (
	// UndefinedDefault prints nothing, is false, empty and has length 0;
	// everything else done to it is an error.
	UndefinedDefault UndefinedMode = iota
	// UndefinedStrict allows nothing but the test "defined", the filter
	// "default" and passing it on.
	UndefinedStrict
	// UndefinedChainable is the default, but its attributes and elements are
	// undefined again instead of an error.
	UndefinedChainable
	// UndefinedDebug is the default, but prints what is missing.
	UndefinedDebug
)

// missing is what an undefined value knows about itself.
type missing struct {
	mode UndefinedMode
	name string
	// owner describes the object that lacks the attribute or element;
	// empty for a plain name.
	owner string
	// element is the printed form of a key that is not a string.
	element string
	hint    string
	// slice says that something without elements was cut: Jinja finds that out
	// late in an expression of literals, but an error it is.
	slice bool
	of    value // the Go value or mapping that lacks it, for a suggestion
}

func (m *missing) value() value { return value{kind: kindUndefined, ptr: unsafe.Pointer(m)} }

func (m *missing) message() string {
	switch {
	case m.hint != "":
		return m.hint
	case m.owner == "":
		return "'" + m.name + "' is undefined"
	case m.element != "":
		return m.owner + " has no element " + m.element
	}
	return "'" + m.owner + "' has no attribute '" + m.name + "'"
}

func (m *missing) error() *Error {
	if m.slice {
		return runtimeError("%s, which cannot be cut", m.message())
	}
	e := undefinedError("%s", m.message())
	e.lacking = m
	return e
}

func (m *missing) fail() { panic(m.error()) }

// text is the printed form.
func (m *missing) text() string {
	switch m.mode {
	case UndefinedStrict:
		m.fail()
	case UndefinedDebug:
		switch {
		case m.hint != "":
			return "{{ undefined value printed: " + m.hint + " }}"
		case m.owner == "":
			return "{{ " + m.name + " }}"
		case m.element != "":
			return "{{ no such element: " + m.owner + "[" + m.element + "] }}"
		}
		return "{{ no such element: " + m.owner + "[" + string(appendQuoted(nil, m.name)) + "] }}"
	}
	return ""
}

// missingName makes the undefined value of a name.
func missingName(mode UndefinedMode, name string) *missing {
	return &missing{mode: mode, name: name}
}

// missingAttribute makes the undefined value of obj.name or obj[key].
func missingAttribute(mode UndefinedMode, obj, key value) value {
	m := &missing{mode: mode, owner: ownerText(obj)}
	if obj.kind == kindGo || obj.kind == kindDict {
		m.of = obj
	}
	if key.isString() {
		m.name = key.str()
	} else {
		m.element = string(appendRepr(nil, key))
	}
	return m.value()
}

// missingHint makes an undefined value with a message of its own.
func missingHint(mode UndefinedMode, name, hint string) value {
	return (&missing{mode: mode, name: name, hint: hint}).value()
}

func ownerText(v value) string {
	if v.kind == kindNone {
		return "None"
	}
	name := v.typeName()
	if v.kind == kindSafe {
		name = "markupsafe.Markup"
	}
	if v.kind == kindObject {
		switch name { // those that Jinja has, not Python
		case "Namespace", "Cycler", "Joiner":
			name = "jinja2.utils." + name
		case "LoopContext", "Macro", "BlockReference", "TemplateReference":
			name = "jinja2.runtime." + name
		case "TemplateModule", "Template":
			name = "jinja2.environment." + name
		}
	}
	return name + " object"
}

// lookupUndefined is what reading a part of an undefined value gives.
func lookupUndefined(v value) value {
	m := v.undefined()
	if m.mode == UndefinedChainable {
		return v
	}
	m.fail()
	return v
}

// iterable fails if the mode does not allow to treat the value as empty.
func (m *missing) iterable() {
	if m.mode == UndefinedStrict {
		m.fail()
	}
}
