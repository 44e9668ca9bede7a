package retort

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"
)

func helpCommand(root *Command) Command {
	return Command{
		Name: "help", Args: "[COMMAND]", Short: "Explain a command", Group: "Also", WithoutApp: true,
		Run: func(_ context.Context, in *Invocation) error {
			c, path, rest := root.find(in.Args)
			if len(rest) > 0 {
				return c.unknown(rest[0])
			}
			return c.help(in.Out, path)
		},
		Complete: func(args []string, start string) []string {
			c, _, _ := root.find(args)
			return c.names(start)
		},
	}
}

// help prints what a command does and how it is called.
func (c *Command) help(w io.Writer, path []string) error {
	var b strings.Builder
	usage := strings.Join(path, " ")
	for _, text := range []string{c.Long, c.Short} {
		if text = strings.TrimSpace(text); text != "" {
			b.WriteString(text + "\n\n")
			break
		}
	}
	flags := c.flagSet(new(Invocation))
	b.WriteString("Usage:\n")
	if c.Run != nil {
		b.WriteString("  " + strings.TrimSpace(usage+" "+c.Args) + " [flags]\n")
	}
	if len(c.Commands) > 0 {
		b.WriteString("  " + usage + " COMMAND\n")
	}
	if examples := strings.TrimSpace(c.Examples); examples != "" {
		b.WriteString("\nExamples:\n")
		for line := range strings.SplitSeq(examples, "\n") {
			if rest, ok := strings.CutPrefix(line, "app "); ok {
				line = path[0] + " " + rest
			}
			b.WriteString("  " + line + "\n")
		}
	}
	c.listCommands(&b)
	b.WriteString("\nFlags:\n")
	lines := [][]string{}
	flags.VisitAll(func(f *flag.Flag) { lines = append(lines, flagLine(f)) })
	lines = append(lines, []string{"  -h, --help", "show this"})
	_ = writeTable(&b, lines)
	if len(c.Commands) > 0 {
		b.WriteString("\nRun '" + usage + " COMMAND --help' for more about a command.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// listCommands writes the commands below, by group in the order of their
// first, and by name.
func (c *Command) listCommands(b *strings.Builder) {
	var groups []string
	lines := map[string][]string{} // by group: name, a zero byte, description
	for _, sub := range c.Commands {
		group := sub.Group
		if group == "" {
			group = "Commands"
		}
		if lines[group] == nil {
			groups = append(groups, group)
		}
		lines[group] = append(lines[group], "  "+sub.Name+"\x00"+sub.Short)
	}
	for _, group := range groups {
		b.WriteString("\n" + group + ":\n")
		slices.Sort(lines[group])
		cells := make([][]string, len(lines[group]))
		for i, line := range lines[group] {
			cells[i] = strings.Split(line, "\x00")
		}
		_ = writeTable(b, cells)
	}
}

// flagLine describes a flag: "--addr string" and what it does.
func flagLine(f *flag.Flag) []string {
	kind, text := flag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "0s", "false":
	default:
		text += " (default " + f.DefValue + ")"
	}
	return []string{strings.TrimRight("  "+dashed(f.Name)+" "+kind, " "), text}
}

// dashed writes the name of a flag as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
