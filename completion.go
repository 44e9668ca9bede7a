package retort

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"
)

// completeName is the hidden command that the scripts call with the words of
// the line up to the cursor. It prints the candidates for the last one, each
// with a tab and a description if it has one.
const completeName = "__complete"

func completionCommand(root *Command) Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return Command{
		Name: "completion", Args: "SHELL", Short: "Print what makes a shell complete the commands", Group: "Also", WithoutApp: true,
		Long: "Prints what makes bash, fish, powershell or zsh complete the commands, flags and arguments.",
		Examples: "source <(" + root.Name + " completion bash)\n" + root.Name + " completion fish | source\n" +
			root.Name + " completion powershell | Out-String | Invoke-Expression\nsource <(" + root.Name + " completion zsh)",
		Run: func(_ context.Context, in *Invocation) error {
			if len(in.Args) != 1 || !slices.Contains(shells, in.Args[0]) {
				return UsageError("completion wants one of %s", strings.Join(shells, ", "))
			}
			script := map[string]string{"bash": bashScript, "fish": fishScript, "powershell": powershellScript, "zsh": zshScript}[in.Args[0]]
			_, err := io.WriteString(in.Out, strings.NewReplacer("FUNCTION", "_"+identifier(root.Name), "PROGRAM", "'"+strings.ReplaceAll(root.Name, "'", "")+"'").Replace(script))
			return err
		},
		Complete: func(_ []string, start string) []string { return startingWith(shells, start) },
	}
}

// identifier makes a name of a function.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isWordByte(byte(r)) {
			return r
		}
		return '_'
	}, name)
}

func isWordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

// complete prints the candidates for the last of the words.
func (c *Command) complete(w io.Writer, words []string) error {
	start := ""
	if len(words) > 0 {
		words, start = words[:len(words)-1], words[len(words)-1]
	}
	if start == `""` {
		start = "" // as PowerShell passes an empty word
	}
	c, _, rest := c.find(words)
	var candidates []string
	if strings.HasPrefix(start, "-") {
		c.flagSet(new(Invocation)).VisitAll(func(f *flag.Flag) {
			candidates = append(candidates, dashed(f.Name)+"\t"+f.Usage)
		})
		candidates = startingWith(append(candidates, "--help\texplain the command"), start)
	} else {
		if len(rest) == 0 {
			for _, sub := range c.Commands {
				candidates = append(candidates, sub.Name+"\t"+sub.Short)
			}
			candidates = startingWith(candidates, start)
		}
		if c.Complete != nil {
			candidates = append(candidates, c.Complete(rest, start)...)
		}
	}
	var b strings.Builder
	for _, candidate := range candidates {
		b.WriteString(strings.TrimSuffix(strings.NewReplacer("\n", " ", "\r", " ").Replace(candidate), "\t") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// names lists the commands below that begin with start.
func (c *Command) names(start string) (names []string) {
	for _, sub := range c.Commands {
		names = append(names, sub.Name)
	}
	return startingWith(names, start)
}

func startingWith(list []string, start string) (some []string) {
	for _, s := range list {
		if strings.HasPrefix(s, start) {
			some = append(some, s)
		}
	}
	return some
}

const bashScript = `# Completes PROGRAM in bash.
FUNCTION() {
	local word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("$(printf %q "$word")")
	done < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F FUNCTION PROGRAM
`

const zshScript = `#compdef PROGRAM
# Completes PROGRAM in zsh.
FUNCTION() {
	local line name
	local -a candidates
	for line in "${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
		[[ -n $line ]] || continue
		name=${line%%$'\t'*}
		if [[ $line == *$'\t'* ]]; then
			candidates+=("${name//:/\\:}:${line#*$'\t'}")
		else
			candidates+=("${name//:/\\:}")
		fi
	done
	(( $#candidates )) && _describe -V PROGRAM candidates || _files
}
compdef FUNCTION PROGRAM
`

const fishScript = `# Completes PROGRAM in fish.
function FUNCTION
	set -l words (commandline -opc) (commandline -ct)
	$words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c PROGRAM -f -a '(FUNCTION)'
`

const powershellScript = `# Completes PROGRAM in PowerShell.
Register-ArgumentCompleter -Native -CommandName PROGRAM -ScriptBlock {
	param($word, $line, $cursor)
	$words = @($line.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.ToString() })
	if ($word -eq '') { $words += '""' }
	& $line.CommandElements[0].ToString() __complete @words 2>$null | ForEach-Object {
		$name, $text = $_ -split "` + "`" + `t", 2
		if (-not $text) { $text = $name }
		[System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $text)
	}
}
`
