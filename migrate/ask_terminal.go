package migrate

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Terminal is an [Asker] that asks a person, line by line.
type Terminal struct {
	// Answers are known beforehand; their questions are not asked.
	Answers Answers

	in  *bufio.Reader
	out io.Writer
}

// NewTerminal returns an asker that writes questions to out and reads answers
// from in.
func NewTerminal(in io.Reader, out io.Writer) *Terminal {
	return &Terminal{in: bufio.NewReader(in), out: out}
}

var (
	_ Asker = Answers{}
	_ Asker = (*Terminal)(nil)
)

func (t *Terminal) given() Answers { return t.Answers }

// RenamedModel implements [Asker].
func (t *Terminal) RenamedModel(gone, added *schema.Table) (bool, error) {
	if renamed, err := t.Answers.RenamedModel(gone, added); err == nil {
		return renamed, nil
	}
	return t.yes("Was the model %s renamed to %s?", gone.Key(), added.Model)
}

// MovedModel implements [Asker].
func (t *Terminal) MovedModel(gone, added *schema.Table) (bool, error) {
	if moved, err := t.Answers.MovedModel(gone, added); err == nil {
		return moved, nil
	}
	return t.yes("Was the model %s moved to %s?", gone.Key(), added.Key())
}

// Merge implements [Asker].
func (t *Terminal) Merge(app, why string) (bool, error) {
	if merge, err := t.Answers.Merge(app, why); err == nil {
		return merge, nil
	}
	fmt.Fprintf(t.out, "%s: %s.\n", app, why)
	return t.yes("May the branches be done in any order?")
}

// RenamedField implements [Asker].
func (t *Terminal) RenamedField(table *schema.Table, gone, added *schema.Column) (bool, error) {
	if renamed, err := t.Answers.RenamedField(table, gone, added); err == nil {
		return renamed, nil
	}
	return t.yes("Was %s of %s renamed to %s?", gone.Name, table.Key(), added.Name)
}

// Backfill implements [Asker].
func (t *Terminal) Backfill(table *schema.Table, column *schema.Column, added bool) (*string, error) {
	if value, err := t.Answers.Backfill(table, column, added); err == nil {
		return value, nil
	}
	name := table.Key() + "." + column.Name
	if added {
		fmt.Fprintf(t.out, "%s (%s) is new, does not allow NULL and has no default.\n", name, column.Type)
	} else {
		fmt.Fprintf(t.out, "%s (%s) no longer allows NULL and has no default.\n", name, column.Type)
		some, err := t.yes("Do existing rows hold NULL there?")
		if err != nil || !some {
			return nil, err
		}
	}
	for {
		value, err := t.line("Value for existing rows: ")
		if err != nil {
			return nil, err
		}
		if _, err := Literal(column, value); err != nil {
			fmt.Fprintln(t.out, strings.TrimPrefix(err.Error(), "migrate: "))
			continue
		}
		return &value, nil
	}
}

// yes asks until the answer is yes or no; an empty line is no.
func (t *Terminal) yes(question string, args ...any) (bool, error) {
	for {
		answer, err := t.line(fmt.Sprintf(question, args...) + " [y/N] ")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return true, nil
		case "", "n", "no":
			return false, nil
		}
	}
}

// line reads one line. The end of the input is no answer.
func (t *Terminal) line(prompt string) (string, error) {
	fmt.Fprint(t.out, prompt)
	line, err := t.in.ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("%w: the input ended at %q", ErrUnanswered, strings.TrimSpace(prompt))
	}
	return strings.TrimRight(line, "\r\n"), nil
}
