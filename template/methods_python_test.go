package template

import "testing"

// Outcomes as Python 3.11 gives them.
func TestPythonMethods(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"{{ 'hello'.translate({104: 'H', 101: none, 108: 76}) }}":                                                           "HLLo",
		"{{ 'abc'.maketrans('ab', 'xy', 'c') }} {{ 'abc'.translate('abc'.maketrans({'a': 'xx', 98: none})) }}":              "{97: 120, 98: 121, 99: None} xxc",
		"{{ dict.fromkeys('ab', 1) }} {{ {}.fromkeys([2]) }}":                                                               "{'a': 1, 'b': 1} {2: None}",
		"{{ (255).bit_length() }} {{ (-7).bit_count() }} {{ (2).real }} {{ 2.5.imag if false else (2.5).imag }}":            "8 3 2 0.0",
		"{{ 1.0.hex() if false else (10.5).hex() }} {{ (0.5).as_integer_ratio() }} {{ (-3).as_integer_ratio() }}":           "0x1.5000000000000p+3 (1, 2) (-3, 1)",
		"{{ '{:08,}'.format(1234) }} {{ '{:_x}'.format(1048575) }} {{ '{:z.0f}'.format(-0.2) }} {{ '{:<05}'.format('a') }}": "0,001,234 f_ffff 0 a0000",
		"{{ dict }} {{ namespace }} {{ {10**20: 1}[1e20] }} {{ [1, 2, 3]|batch(0)|list }}":                                  "<class 'dict'> <class 'jinja2.utils.Namespace'> 1 [[], [1, 2, 3]]",
		"{{ 'x'|urlize('no number') }} {{ 2.675|round(none) }} {{ 'x {a}'.format_map({'a': 1}) }}":                          "x 3 x 1",
		"{{ 2 ** 0.1 }} {{ 1.1 ** 10 }} {{ 0.1 ** 255 }} {{ 7 ** -2.5 }} {{ (-8) ** 3.0 }}":                                 "1.0717734625362931 2.5937424601000023 1.0000000000000142e-255 0.007713560673657699 -512.0",
	} {
		wantRender(t, Options{Autoescape: func(string) bool { return false }}, src, nil, want)
	}
	for src, want := range map[string]string{
		"{{ 'abc'.maketrans('a', 'bc') }}": "equal length", "{{ 'a'.translate(1) }}": "not subscriptable", "{{ '{0.x}'.format({'x': 1}) }}": "no attribute 'x'",
		"{{ '%5%' % (1,) }}": "unsupported format character", "{{ '{:,x}'.format(1) }}": "cannot specify ','", "{{ [1]|sort('yes') }}": "expected an integer",
		"{{ 'a' * 10**30 }}": "beyond 64 bits", "{{ '{:+}'.format('a') }}": "not allowed",
	} {
		wantError(t, Options{}, src, nil, Runtime, want)
	}
}

func BenchmarkPower(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		pow(2.5, 3.7)
	}
}
