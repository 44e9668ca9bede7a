package debugpage

import (
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// A Frame is one call of a stack.
type Frame struct {
	// Func is the full name as the run time prints it, such as
	// "example.com/shop/cart.(*Cart).Add".
	Func string
	// File is the path on disk if the program was built without -trimpath.
	File string
	Line int
	// Own says that the function belongs to the user's module (or to one that
	// it replaces by a local directory), not to a library, the framework or
	// the standard library.
	Own bool
	// Source holds the lines around Line of an own frame whose file could be
	// read.
	Source []Line

	state lexState // of the highlighter where Source begins
}

// A Line is one line of an excerpt.
type Line struct {
	Number int
	Text   string
}

// framework is the module whose frames are never the user's, except in its
// examples, also when it is itself the main module.
const framework = "github.com/retort-web/retort"

// maxFrames bounds what a deep recursion puts on the page.
const maxFrames = 200

// FunctionFrame describes where the function with this entry address is
// defined, as if it were a stack of one call: the handler that returned an
// error leaves no other trace. It gives nothing for an unknown address.
func FunctionFrame(entry uintptr) []Frame {
	f := runtime.FuncForPC(entry)
	if f == nil {
		return nil
	}
	file, line := f.FileLine(entry)
	frames := describe([]Frame{{Func: strings.TrimSuffix(f.Name(), "-fm"), File: file, Line: line}})
	if frames[0].Own { // what follows the first line says more than what precedes it
		source, state := goExcerptOf(file, line, 1, 3*excerptRadius)
		frames[0].Source, frames[0].state = toFunctionEnd(source, line), state
	}
	return frames
}

// toFunctionEnd cuts an excerpt after the brace that closes the function of
// line: the first that is indented as it is, in code that gofmt has seen.
func toFunctionEnd(lines []Line, line int) []Line {
	indent := ""
	for i, l := range lines {
		switch {
		case l.Number == line:
			indent = l.Text[:len(l.Text)-len(strings.TrimLeft(l.Text, "\t"))]
			if strings.HasSuffix(l.Text, "}") || strings.HasSuffix(l.Text, "})") {
				return lines[:i+1]
			}
		case l.Number > line && strings.HasPrefix(l.Text, indent+"}"):
			return lines[:i+1]
		}
	}
	return lines
}

// FramesFromStack reads a trace as runtime/debug.Stack and crash reports print
// it, the first goroutine only. If the trace contains a panic, the frames start
// at the function that panicked. Text that is no trace gives no frames.
func FramesFromStack(stack []byte) []Frame {
	var list []Frame
	started, panicked := false, false
	lines := strings.Split(string(stack), "\n")
	for i := 0; i < len(lines) && len(list) < maxFrames; i++ {
		line := strings.TrimSuffix(lines[i], "\r")
		if strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, ":") {
			if started {
				break
			}
			started = true
			continue
		}
		if line == "" || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "\t") {
			continue
		}
		file, number, ok := splitPosition(lines[i+1][1:])
		if !ok {
			continue
		}
		i++
		function := functionName(line)
		if !panicked && (function == "panic" || function == "runtime.gopanic") {
			list, panicked = list[:0], true
			continue
		}
		if !isRuntime(function) && function != "panic" && !strings.HasPrefix(function, "runtime/debug.Stack") {
			list = append(list, Frame{Func: function, File: file, Line: number})
		}
	}
	return describe(list)
}

// functionName takes the arguments and the goroutine's creator off a line of a
// trace: "main.(*T).Do(0xc000, {0x1, 0x2})", "created by main.f in goroutine 1".
func functionName(line string) string {
	if rest, ok := strings.CutPrefix(line, "created by "); ok {
		name, _, _ := strings.Cut(rest, " in goroutine ")
		return name
	}
	if strings.HasSuffix(line, ")") {
		if i := strings.LastIndexByte(line, '('); i > 0 {
			return line[:i]
		}
	}
	return line
}

// splitPosition splits "/dir/file.go:42 +0x1d".
func splitPosition(s string) (file string, line int, ok bool) {
	s, _, _ = strings.Cut(strings.TrimSuffix(s, "\r"), " +0x")
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(strings.TrimSpace(s[i+1:]))
	if err != nil || line <= 0 {
		return "", 0, false
	}
	return s[:i], line, true
}

func isRuntime(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/")
}

// describe decides which frames are the user's and reads their source.
func describe(frames []Frame) []Frame {
	mods := readModules()
	for i := range frames {
		f := &frames[i]
		f.Own = mods.own(packagePath(f.Func), f.File)
		if f.Own {
			f.Source, f.state = goExcerpt(f.File, f.Line)
		}
	}
	return frames
}

// packagePath is the import path in a function's full name. Dots in the last
// path element are written as %2e there.
func packagePath(function string) string {
	slash := strings.LastIndexByte(function, '/')
	// A type argument may contain slashes of its own.
	if bracket := strings.IndexByte(function, '['); bracket >= 0 && bracket < slash {
		slash = strings.LastIndexByte(function[:bracket], '/')
	}
	dot := strings.IndexByte(function[slash+1:], '.')
	if dot < 0 {
		return function
	}
	return strings.ReplaceAll(function[:slash+1+dot], "%2e", ".")
}

// shortFunc is the function's name with the last element of its package's
// path: "cart.(*Cart).Add".
func shortFunc(function string) string {
	path := packagePath(function)
	if i := strings.LastIndexByte(path, '/'); i >= 0 && len(function) > i {
		return strings.ReplaceAll(function[i+1:], "%2e", ".")
	}
	return function
}

// modules are the module paths whose code is the user's.
type modules []string

func readModules() modules {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	mods := modules{info.Main.Path}
	for _, dep := range info.Deps {
		local := dep.Version == "(devel)"
		if dep.Replace != nil {
			local = filepath.IsAbs(dep.Replace.Path) || strings.HasPrefix(dep.Replace.Path, ".")
		}
		if local {
			mods = append(mods, dep.Path)
		}
	}
	return mods
}

func (m modules) own(pkg, file string) bool {
	if strings.Contains(file, "/vendor/") || strings.Contains(file, "/pkg/mod/") {
		return false
	}
	if pkg == "main" {
		return true
	}
	if inModule(pkg, framework) && !inModule(pkg, framework+"/examples") {
		return false
	}
	for _, mod := range m {
		if mod != "" && inModule(pkg, mod) {
			return true
		}
	}
	return false
}

// inModule also accepts the external test package of the module's root.
func inModule(pkg, module string) bool {
	rest, ok := strings.CutPrefix(pkg, module)
	return ok && (rest == "" || rest[0] == '/' || rest == "_test")
}
