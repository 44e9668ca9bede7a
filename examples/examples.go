// Package examples holds the example programs as files, for the tool that
// starts a new project from them.
package examples

import "embed"

// Blog is the folder of the example blog, below "blog".
//
//go:embed blog
var Blog embed.FS
