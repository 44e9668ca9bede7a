package form

// Media are the files that a widget needs in the page: paths of static files, as the
// function static of templates takes them, or whole addresses.
type Media struct {
	Styles  []string
	Scripts []string // ES modules
}
