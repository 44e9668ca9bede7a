package main

import "github.com/retort-web/retort/template"

func main() {
	var s template.Safe = "x"
	var f template.Func
	var o template.Options
	println(s, f == nil, o.AutoReload)
}
