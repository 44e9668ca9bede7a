package site

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
)

func (s *Site) notes(c *retort.Ctx) error {
	list, err := auth.Visible(c, auth.View, Notes)
	if err != nil {
		return err
	}
	n := Notes.Fields()
	rows, err := list.OrderBy(orm.Desc(&n.ID)).Limit(200).All(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "notes.html", map[string]any{"notes": rows})
}

// ownNote is the note of the address. Another's is not there.
func (s *Site) ownNote(c *retort.Ctx, action auth.Action) (*Note, error) {
	id, err := retort.Param[int64](c, "id")
	if err != nil {
		return nil, err
	}
	list, err := auth.Visible(c, action, Notes)
	if err != nil {
		return nil, err
	}
	n := Notes.Fields()
	return list.Where(orm.Eq(&n.ID, id)).Get(c)
}

func (s *Site) note(c *retort.Ctx) error {
	note, err := s.ownNote(c, auth.View)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "note.html", map[string]any{"note": note})
}

func (s *Site) editNote(c *retort.Ctx) error {
	note := Notes.New()
	note.Owner.Set(auth.Must(c))
	if c.Param("id") != "" {
		var err error
		if note, err = s.ownNote(c, auth.Change); err != nil {
			return err
		}
	}
	f := form.For(c, func(n *Note) form.Options {
		return form.Options{Fields: form.Fields(&n.Title, &n.Text)}
	}).Instance(note)
	saved, err := f.Save(c)
	if err != nil {
		return err
	}
	if saved {
		return c.Redirect(c.MustURL("note", "id", note.ID))
	}
	return render(c, f.Status(), "edit.html", map[string]any{"form": f, "title": "Note"})
}

// allNotes changes, adds and deletes several notes in one page. Which of them there are
// to change is for the query to say, and never for what is sent.
func (s *Site) allNotes(c *retort.Ctx) error {
	list, err := auth.Visible(c, auth.Change, Notes)
	if err != nil {
		return err
	}
	n := Notes.Fields()
	set := form.FormsetFor(c, func(n *Note) form.FormsetOptions {
		return form.FormsetOptions{Form: form.Options{Fields: form.Fields(&n.Title, &n.Text)}, NoAdd: true, CanDelete: true}
	}).From(list.OrderBy(orm.Desc(&n.ID)).Limit(50))
	saved, err := set.Save(c)
	if err != nil {
		return err
	}
	if saved {
		c.Flash("success", "Your notes are saved.")
		return c.Redirect(c.MustURL("notes"))
	}
	return render(c, set.Status(), "notes_all.html", map[string]any{"notes": set})
}

func (s *Site) deleteNote(c *retort.Ctx) error {
	note, err := s.ownNote(c, auth.Delete)
	if err != nil {
		return err
	}
	if c.Method() != http.MethodPost {
		return render(c, http.StatusOK, "delete.html", map[string]any{"note": note})
	}
	if err := Notes.DeleteRow(c, note); err != nil {
		return err
	}
	return c.Redirect(c.MustURL("notes"))
}

// notesCSV sends the notes as they are read. What a spreadsheet would take for a
// formula is marked as text (ASVS 1.2.10).
func (s *Site) notesCSV(c *retort.Ctx) error {
	list, err := auth.Visible(c, auth.View, Notes)
	if err != nil {
		return err
	}
	n := Notes.Fields()
	rows, err := list.OrderBy(orm.Asc(&n.ID)).Limit(10_000).All(c)
	if err != nil {
		return err
	}
	c.SetHeader("Content-Disposition", `attachment; filename="notes.csv"`)
	return c.Stream("text/csv; charset=utf-8", func(w io.Writer) error {
		out := csv.NewWriter(w)
		_ = out.Write([]string{"created", "title", "text"})
		for _, note := range rows {
			_ = out.Write([]string{note.Created.UTC().Format(time.RFC3339), plainCell(note.Title), plainCell(note.Text)})
		}
		out.Flush()
		return out.Error()
	})
}

// plainCell keeps a spreadsheet from computing a text.
func plainCell(text string) string {
	if strings.HasPrefix(strings.TrimLeft(text, " "), "=") || text != "" && strings.ContainsRune("+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
