package static

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// Dir opens a folder of the disk as a source. Symbolic links inside it may not lead out of
// it ([os.Root]), which those of [os.DirFS] may.
func Dir(name string) (fs.FS, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return root.FS(), nil
}

// servable reports whether a name may be asked for: a slash-separated relative path without
// hidden parts and without anything that some operating system would take for another file.
func servable(name string) bool {
	if name == "." || !fs.ValidPath(name) || strings.ContainsAny(name, "\\:") {
		return false
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return false
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part[0] == '.' || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || isDevice(part) {
			return false
		}
	}
	return true
}

// isDevice reports whether Windows takes a file name for a device, in any folder and with
// any extension.
func isDevice(part string) bool {
	base, _, _ := strings.Cut(part, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, prefix := range []string{"COM", "LPT"} {
		if digit, ok := strings.CutPrefix(base, prefix); ok {
			switch digit {
			case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
				return true
			}
		}
	}
	return false
}

// hashLength is how many hexadecimal digits of the SHA-256 of its content a name carries.
const hashLength = 12

// hashedName puts a hash before the extension of a name: css/site.css becomes
// css/site.3f9a1c2b4d5e.css.
func hashedName(name, hash string) string {
	ext := path.Ext(name)
	return name[:len(name)-len(ext)] + "." + hash + ext
}

// plainName undoes hashedName.
func plainName(hashed string) (name, hash string, ok bool) {
	dir, base := path.Split(hashed)
	ext := path.Ext(base)
	stem := base[:len(base)-len(ext)]
	if isHash(strings.TrimPrefix(ext, ".")) { // the name had no extension
		return dir + stem, ext[1:], stem != ""
	}
	hash = strings.TrimPrefix(path.Ext(stem), ".")
	if !isHash(hash) {
		return "", "", false
	}
	stem = stem[:len(stem)-len(hash)-1]
	return dir + stem + ext, hash, stem != ""
}

func isHash(s string) bool {
	if len(s) != hashLength {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
