package template

import (
	"math/rand/v2"
	"strings"
	"unsafe"
)

// builtinGlobals are the functions every template sees.
var builtinGlobals = [...]builtinFunction{
	{"range", globalRange},
	{"dict", globalDict},
	{"lipsum", globalLipsum},
	{"cycler", globalCycler},
	{"joiner", globalJoiner},
	{"namespace", globalNamespace},
}

func spanValue(s *span) value { return value{kind: kindRange, ptr: unsafe.Pointer(s)} }

func globalRange(_ *exec, a *callArgs) value {
	args := positional("range", 1, 3, a)
	s := &span{step: 1}
	switch {
	case !args[1].given():
		s.stop = rangePart(args[0])
	default:
		s.start, s.stop = rangePart(args[0]), rangePart(args[1])
		if args[2].given() {
			s.step = rangePart(args[2])
		}
	}
	if s.step == 0 {
		panic(runtimeError("range() arg 3 must not be zero"))
	}
	return spanValue(s)
}

func rangePart(v value) int64 {
	const far = 1 << 60
	if p := v.plain(); p.kind == kindBig {
		return int64(p.big().Sign()) * far
	}
	return min(max(wantInt("range()", v), -far), far)
}

func globalDict(x *exec, a *callArgs) value {
	d := NewDict()
	if len(a.pos) > 1 {
		panic(runtimeError("dict() takes at most 1 argument (%d given)", len(a.pos)))
	}
	if len(a.pos) == 1 {
		if a.pos[0].isUndefined() {
			a.pos[0].undefined().fail()
		}
		fillDict(x, d, a.pos[0])
	}
	for _, k := range a.kw {
		d.set(stringValue(k.name), k.v)
	}
	return dictValue(d)
}

func globalCycler(_ *exec, a *callArgs) value {
	if len(a.kw) > 0 {
		panic(runtimeError("cycler() takes no keyword arguments"))
	}
	if len(a.pos) == 0 {
		panic(runtimeError("at least one item has to be provided"))
	}
	return objectValue(&cycler{items: append([]value(nil), a.pos...)})
}

func globalJoiner(_ *exec, a *callArgs) value {
	sep := bindTo("joiner", "sep", 0, a)[0]
	if !sep.given() {
		sep = stringValue(", ")
	}
	return objectValue(&joiner{separator: sep})
}

func globalNamespace(x *exec, a *callArgs) value {
	v := globalDict(x, a)
	return objectValue(&namespace{v.dict()})
}

// globalLipsum gives paragraphs of dummy text.
func globalLipsum(x *exec, a *callArgs) value {
	args := bindTo("lipsum", "n,html,min,max", 0, a)
	number := func(i int, fallback int64) int64 {
		if !args[i].given() {
			return fallback
		}
		return wantInt("lipsum()", args[i])
	}
	n, least, most := number(0, 5), number(2, 20), number(3, 100)
	asHTML := !args[1].given() || args[1].truth()
	if n > 0 && least >= most {
		panic(runtimeError("lipsum(): min must be less than max"))
	}
	x.allowProduct(int(min(max(most, 1), 1<<40)*8), max(n, 0))
	paragraphs := make([]string, 0, max(n, 0))
	for range max(n, 0) {
		p := dummyText(int(least + rand.Int64N(most-least)))
		if asHTML {
			p = "<p>" + p + "</p>"
		}
		paragraphs = append(paragraphs, p)
	}
	if asHTML {
		return safeValue(strings.Join(paragraphs, "\n"))
	}
	return stringValue(strings.Join(paragraphs, "\n\n"))
}

const dummyWords = "ab ad alias animi aut beatae cum dicta dolor earum eius enim error esse et ex facere fuga harum hic id illo in ipsa ipsum iste iure " +
	"labore laborum magni maiores minus modi nam natus nemo nihil nisi nobis non nulla odio odit officia omnis optio pariatur quae quam quasi " +
	"quia quidem quis quod quos ratione rem rerum saepe sed sequi sint sit soluta sunt tempora tenetur totam ullam unde ut vel velit vero vitae"

func dummyText(n int) string {
	words := strings.Fields(dummyWords)
	var sb strings.Builder
	capital, comma, stop := true, 3+rand.IntN(5), 10+rand.IntN(10)
	last := ""
	for i := range n {
		w := words[rand.IntN(len(words))]
		for w == last {
			w = words[rand.IntN(len(words))]
		}
		last = w
		if i > 0 {
			sb.WriteByte(' ')
		}
		if capital {
			w = strings.ToUpper(w[:1]) + w[1:]
			capital = false
		}
		sb.WriteString(w)
		switch {
		case i == n-1:
		case i == stop:
			sb.WriteByte('.')
			capital, stop, comma = true, i+10+rand.IntN(10), i+3+rand.IntN(5)
		case i == comma:
			sb.WriteByte(',')
			comma = i + 3 + rand.IntN(5)
		}
	}
	if n > 0 {
		sb.WriteByte('.')
	}
	return sb.String()
}
