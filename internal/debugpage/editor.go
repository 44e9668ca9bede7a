package debugpage

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// Editors are the names that [Page.Editor] knows, with the links they stand
// for.
func Editors() map[string]string {
	return map[string]string{
		"vscode":   "vscode://file/{file}:{line}",
		"vscodium": "vscodium://file/{file}:{line}",
		"cursor":   "cursor://file/{file}:{line}",
		"windsurf": "windsurf://file/{file}:{line}",
		"zed":      "zed://file/{file}:{line}",
		"goland":   "jetbrains://goland/navigate/reference?path={file}&line={line}",
		"idea":     "idea://open?file={file}&line={line}",
		"sublime":  "subl://open?url=file://{file}&line={line}",
		"textmate": "txmt://open?url=file://{file}&line={line}",
	}
}

// editorURL is the link that opens a file at a line, or "" if there is none.
func (p *Page) editorURL(path string, line int) string {
	if !filepath.IsAbs(path) {
		return ""
	}
	pattern := p.Editor
	if pattern == "" {
		pattern = "vscode"
	}
	if known, ok := Editors()[pattern]; ok {
		pattern = known
	}
	scheme, _, ok := strings.Cut(pattern, ":")
	if !ok || !strings.Contains(pattern, "{file}") || strings.EqualFold(scheme, "javascript") || strings.EqualFold(scheme, "data") {
		return ""
	}
	escaped := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	if strings.Contains(pattern, "file/{file}") {
		escaped = strings.TrimPrefix(escaped, "/")
	}
	if _, query, found := strings.Cut(pattern, "?"); found && strings.Contains(query, "{file}") {
		escaped = strings.ReplaceAll(url.QueryEscape(filepath.ToSlash(path)), "%2F", "/")
	}
	return strings.NewReplacer("{file}", escaped, "{line}", strconv.Itoa(max(line, 1))).Replace(pattern)
}
