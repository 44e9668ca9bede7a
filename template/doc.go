// Package template renders Jinja templates with Go values.
//
// The language is Jinja 3.1 whole: inheritance, macros, includes, all filters
// and tests, the methods of Python's values that templates call, and Python's
// way of printing. What Jinja users and existing templates know works as it
// did; what comes from Go is read in place, by names in snake case.
//
// # Rendering
//
// An [Engine] compiles and caches templates that a [Loader] finds:
//
//	engine, err := template.New(template.Options{Loader: template.FS(files)})
//	page, err := engine.Get("posts/list.html")
//	err = page.Execute(w, template.Execution{Context: ctx, Data: map[string]any{"posts": posts}})
//
// Nothing is written if rendering fails, so a page is whole or an error.
// [Template.AppendBlock] renders one block of a page, for partial updates.
//
// # Go values
//
// Structs, pointers, maps, slices, functions, iter.Seq and the basic types can
// be handed over as they are. post.published_at is the field PublishedAt,
// post.absolute_url() the method AbsoluteURL; unexported names do not exist.
// Values may take part by small interfaces: [Valuer] stands for another value,
// [Attributer] and [Indexer] answer lookups, and a method HTML() string gives a
// value's own markup. Beside it, AppendHTML(dst []byte) []byte saves a copy of it.
//
// # Safety
//
// Templates whose names end in .html, .htm, .xml, .xhtml or .svg, and inline
// ones, escape what they print; [Safe] strings and what is made from them
// safely are left alone. With [Options.Contextual] each value is escaped for its
// place: text, attribute, address, script or style.
//
// A render is bounded in output, steps and depth
// ([Limits]) and ends with its context. Templates are trusted with the
// program's exported fields and methods; do not render templates of strangers.
//
// # Errors
//
// Every failure is an [*Error] with a kind, the template's name and the line,
// and the trail of includes and calls that led there.
package template
