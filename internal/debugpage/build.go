package debugpage

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A buildError is one message of the compiler with the place it names.
type buildError struct {
	file         string // as the compiler wrote it
	path         string // absolute
	line, column int
	message      string
}

// buildErrors reads the lines file.go:line:column: message and file.go:line:
// message of the Go command's output. A message that goes on in indented lines
// is kept whole.
func buildErrors(output, dir string) []buildError {
	var list []buildError
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "\t") && len(list) > 0 {
			list[len(list)-1].message += "\n" + line
			continue
		}
		if e, ok := parseBuildError(line); ok {
			e.path = e.file
			if !filepath.IsAbs(e.path) {
				e.path = filepath.Join(dir, e.file)
			}
			list = append(list, e)
		}
	}
	return list
}

func parseBuildError(line string) (buildError, bool) {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "go: "), "vet: ")
	end := -1
	for _, extension := range [...]string{".go:", "go.mod:", "go.work:"} {
		if i := strings.Index(line, extension); i >= 0 {
			end = i + len(extension) - 1
			break
		}
	}
	if end < 0 || strings.ContainsAny(line[:end], "\t\"'") {
		return buildError{}, false
	}
	e := buildError{file: line[:end]}
	number, rest, ok := cutNumber(line[end+1:])
	if !ok {
		return buildError{}, false
	}
	e.line = number
	if column, after, ok := cutNumber(rest); ok {
		e.column, rest = column, after
	}
	e.message = strings.TrimSpace(rest)
	return e, true
}

// cutNumber splits "12:rest".
func cutNumber(s string) (n int, rest string, ok bool) {
	digits, rest, found := strings.Cut(s, ":")
	if !found || len(digits) > 7 {
		return 0, s, false
	}
	n, err := strconv.Atoi(digits)
	return n, rest, err == nil && n > 0
}

// lastOutput is the end of p.Output, from the beginning of a line.
func (p *Page) lastOutput() string {
	s := strings.TrimSpace(p.scrub(p.Output))
	if over := len(s) - maxText; over > 0 {
		s = s[over:]
		s = "…\n" + s[strings.IndexByte(s, '\n')+1:]
	}
	return s
}

// dir is p.Dir or the working directory, absolute.
func (p *Page) dir() string {
	if p.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return ""
		}
		return dir
	}
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return p.Dir
	}
	return dir
}

// shortPath is a path as a person would write it: relative to dir, or from the
// module or standard library package on.
func shortPath(path, dir string) string {
	if dir != "" {
		if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator)); ok {
			return rest
		}
	}
	if i := strings.LastIndex(path, "/pkg/mod/"); i >= 0 {
		return path[i+len("/pkg/mod/"):]
	}
	if i := strings.LastIndex(path, "/src/"); i >= 0 {
		return path[i+len("/src/"):]
	}
	return path
}
