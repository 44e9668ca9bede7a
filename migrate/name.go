package migrate

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// nameLength is how long the descriptive part of a name may grow before the
// rest is only hinted at.
const nameLength = 52

// migrationName makes the name of a migration from what it does:
// "0001_initial", "0002_post_subtitle_and_more".
func migrationName(number int, initial bool, operations []Operation) string {
	return fmt.Sprintf("%04d_%s", number, describe(initial, operations))
}

func describe(initial bool, operations []Operation) string {
	if initial {
		return "initial"
	}
	name := ""
	for i, operation := range operations {
		fragment := nameFragment(operation)
		switch {
		case i == 0:
			name = fragment
		case len(name)+len(fragment) >= nameLength:
			return safeName(name + "_and_more")
		default:
			name += "_" + fragment
		}
	}
	if name == "" {
		name = "custom"
	}
	return safeName(name)
}

// nameFragment names one operation, as Django does.
func nameFragment(operation Operation) string {
	switch o := operation.(type) {
	case CreateModel:
		return word(o.Table.Model)
	case DeleteModel:
		return "delete_" + word(o.Model)
	case RenameModel:
		if o.From == o.To {
			return "rename_table_" + word(o.Table)
		}
		return "rename_" + word(o.From) + "_" + word(o.To)
	case MoveModel:
		return "move_" + word(o.to())
	case RenameIndex:
		return "rename_" + word(o.From) + "_" + word(o.To)
	case AlterComment:
		return "comment_" + word(o.Model)
	case AddField:
		return word(o.Model) + "_" + word(o.Column.Name)
	case RemoveField:
		return "remove_" + word(o.Model) + "_" + word(o.Column)
	case AlterField:
		return "alter_" + word(o.Model) + "_" + word(o.Column.Name)
	case RenameField:
		return "rename_" + word(o.From) + "_" + word(o.Model) + "_" + word(o.To)
	case AlterPrimaryKey:
		return "alter_" + word(o.Model) + "_key"
	case AddForeignKey:
		return word(o.Model) + "_" + word(o.ForeignKey.Table)
	case RemoveForeignKey:
		return "remove_" + word(o.Model) + "_" + word(strings.Join(o.Columns, "_"))
	case AddIndex:
		return word(o.Index.Name)
	case RemoveIndex:
		return "remove_" + word(o.Name)
	case AddCheck:
		return word(o.Check.Name)
	case RemoveCheck:
		return "remove_" + word(o.Name)
	case SetNotNull:
		return "require_" + word(o.Model) + "_" + word(o.Column)
	case FillField:
		return "fill_" + word(o.Model) + "_" + word(o.Column)
	case AddUnique:
		return "unique_" + word(o.Model) + "_" + word(o.Column)
	case ValidateCheck:
		return "validate_" + word(o.Name)
	case ValidateForeignKey:
		return "validate_" + word(o.Model) + "_" + word(strings.Join(o.Columns, "_"))
	}
	return "custom"
}

// word makes lower-case letters, digits and underscores of any name.
func word(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsUpper(r):
			return unicode.ToLower(r)
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return r
		}
		return '_'
	}, name)
}

// safeName changes a name whose file the go command would leave out of some
// builds: "post_test", "post_windows". See
// https://pkg.go.dev/cmd/go#hdr-Build_constraints.
func safeName(name string) string {
	switch name[strings.LastIndex(name, "_")+1:] {
	case "test",
		"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl",
		"netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
		"386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "loong64", "mips", "mipsle", "mips64",
		"mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x",
		"sparc", "sparc64", "wasm":
		return name + "_change"
	}
	return name
}

// migrationNumber reads the number at the beginning of a name; 0 if there is
// none.
func migrationNumber(name string) int {
	digits, _, _ := strings.Cut(name, "_")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
