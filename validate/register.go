package validate

import (
	"fmt"
	"runtime"
	"sync"
)

// A CustomRule is a rule that a program adds, by [Register].
type CustomRule struct {
	// Name is how tags call it, and its code.
	Name string

	// Message is the sentence of its failures, such as "must be an ISBN". The
	// parameter stands in it as {param}.
	Message string

	// Param says that the rule may have a parameter.
	Param bool

	// New makes the check for one field, when its struct is first seen. The
	// check gets the value without pointers, never an empty string, and may
	// run on several goroutines at once. An error, for instance for a
	// parameter that makes no sense, names the field.
	New func(param string) (check func(value any) bool, err error)
}

type registered struct {
	CustomRule
	place string
}

var customRules = struct {
	sync.RWMutex
	byName map[string]registered
}{byName: map[string]registered{}}

// Register makes a rule known to [Parse]. It is meant for package variables and
// the start of main, before the first struct that uses the rule is checked. A
// name that is taken, or a rule without Name, Message or New, panics.
func Register(rule CustomRule) {
	place := "unknown place"
	if _, file, line, ok := runtime.Caller(1); ok {
		place = fmt.Sprintf("%s:%d", file, line)
	}
	if rule.Name == "" || rule.Message == "" || rule.New == nil {
		panic(fmt.Sprintf("validate: the rule %q registered at %s needs Name, Message and New", rule.Name, place))
	}
	if _, builtin := ruleNames[rule.Name]; builtin {
		panic(fmt.Sprintf("validate: the rule %q registered at %s has the name of a built-in rule", rule.Name, place))
	}
	customRules.Lock()
	defer customRules.Unlock()
	if first, taken := customRules.byName[rule.Name]; taken {
		panic(fmt.Sprintf("validate: the rule %q is registered twice, at %s and at %s", rule.Name, first.place, place))
	}
	customRules.byName[rule.Name] = registered{rule, place}
}

func lookup(name string) (CustomRule, bool) {
	customRules.RLock()
	defer customRules.RUnlock()
	rule, ok := customRules.byName[name]
	return rule.CustomRule, ok
}

func customSentence(code string) (sentence, bool) {
	rule, ok := lookup(code)
	return sentence{other: rule.Message}, ok
}
