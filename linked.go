//go:build retort_templates

package retort

// With the build tag retort_templates the template engine is part of the
// program in any case, so that the command check can read templates of which
// nothing but the handlers tells.
func init() { linkedEngine = newEngine }
