package retort

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/retort-web/retort/router"
	"github.com/retort-web/retort/static"
)

// Assets are the templates and static files of an app or a blueprint.
type Assets struct {
	templates fs.FS
	static    fs.FS
	// engine is set by Embed and not by code that every program has, so that
	// one without templates does not link the template engine.
	engine func(a *App) (engine, error)
}

// Embed makes assets of a file system, usually an embed.FS, that holds the
// folders templates and static, or one of them:
//
//	//go:embed templates static
//	var files embed.FS
//
//	app := retort.New(retort.Config{Assets: retort.Embed(files)})
//
// In debug mode the folders of the same names beside the source of the call to
// New or NewBlueprint are read instead, so that a change shows at once.
func Embed(fsys fs.FS) *Assets {
	return &Assets{templates: subFolder(fsys, "templates"), static: subFolder(fsys, "static"), engine: newEngine}
}

// folder returns the assets in a folder on disk; nil if it holds none.
func folder(dir string) *Assets {
	if dir == "" {
		return nil
	}
	a := &Assets{templates: diskFolder(dir, "templates"), static: diskFolder(dir, "static")}
	if a.templates == nil && a.static == nil {
		return nil
	}
	return a
}

func subFolder(fsys fs.FS, name string) fs.FS {
	if info, err := fs.Stat(fsys, name); err != nil || !info.IsDir() {
		return nil
	}
	sub, err := fs.Sub(fsys, name)
	if err != nil {
		return nil
	}
	return sub
}

// diskFolder opens a folder so that symbolic links cannot lead out of it.
func diskFolder(dir, name string) fs.FS {
	root, err := os.OpenRoot(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	return root.FS()
}

// assetsOf picks the assets of a scope: in debug mode those beside the source,
// then the given ones; without any given, those beside the source, then for the
// app itself those beside the program.
func (a *App) assetsOf(given *Assets, dir string) *Assets {
	found := Assets{}
	take := func(from *Assets) {
		if from == nil {
			return
		}
		if found.templates == nil {
			found.templates = from.templates
		}
		if found.static == nil {
			found.static = from.static
		}
	}
	if a.config.Debug || given == nil {
		take(folder(dir))
	}
	take(given)
	if given == nil && dir == a.dir && dir != "" {
		// A built program is deployed with its folders beside it. The working
		// directory is not looked at: it may hold anything.
		if program, err := os.Executable(); err == nil {
			take(folder(filepath.Dir(program)))
		}
	}
	return &found
}

// source is where templates or static files of one scope come from.
type source struct {
	prefix string // "" for the app, "blog/" for a blueprint
	fsys   fs.FS
}

// assetSources lists the app's sources, the app's own first. One blueprint in
// several places counts once; two blueprints of one name with assets would
// hide each other's, and are an error.
func (a *App) assetSources() (templates, statics []source, err error) {
	add := func(prefix string, assets *Assets) {
		if assets.templates != nil {
			templates = append(templates, source{prefix, assets.templates})
		}
		if assets.static != nil {
			statics = append(statics, source{prefix, assets.static})
		}
	}
	add("", a.assetsOf(a.config.Assets, a.dir))
	seen := map[string]*Blueprint{}
	var walk func(s *scope) error
	walk = func(s *scope) error {
		for _, reg := range s.blueprints {
			b := reg.blueprint
			other, ok := seen[b.name]
			if ok && other != b && (len(templates) > 0 || len(statics) > 0) {
				return fmt.Errorf("retort: two blueprints named %s, made at %s and at %s, would share the folder %s/ of templates and static files; rename one",
					b.name, other.where, b.where, b.name)
			}
			if !ok {
				seen[b.name] = b
				dir := b.dir
				if dir == a.dir {
					dir = "" // the app's own folders are not the blueprint's too
				}
				add(b.name+"/", a.assetsOf(b.options.Assets, dir))
			}
			if err := walk(&b.scope); err != nil {
				return err
			}
		}
		return nil
	}
	return templates, statics, walk(&a.scope)
}

// StaticPrefix is where static files are served.
const StaticPrefix = "/static/"

// buildStatic sets up the static files, if there are any, and their route.
func (a *App) buildStatic() error {
	_, statics, err := a.assetSources()
	if err != nil || len(statics) == 0 {
		return err
	}
	sources := make([]static.Source, len(statics))
	for i, s := range statics {
		sources[i] = static.Source{FS: s.fsys, Prefix: s.prefix}
	}
	a.files = static.New(static.Options{
		Prefix: StaticPrefix, Development: a.config.Debug,
		// Nothing is written, so that the route answers with the app's page.
		NotFound: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}, sources...)
	return nil
}

// addStaticRoute serves the static files unless the site has a route of its
// own there.
func (a *App) addStaticRoute() error {
	if a.files == nil {
		return nil
	}
	r := &Route{scope: &a.scope, methods: []string{http.MethodGet}, pattern: StaticPrefix + "{path:path}", name: "static", where: "static files"}
	r.handler = func(c *Ctx) error {
		a.files.ServeHTTP(c.writer, c.request)
		if !c.begun {
			return NotFound("")
		}
		return nil
	}
	e := &endpoint{route: r, mounted: a.root, name: "static", handler: r.handler}
	rt, err := a.router.Add(router.Route{Methods: r.methods, Pattern: r.pattern, Name: r.name, Value: e, Where: r.where})
	if err != nil {
		return err
	}
	e.match = rt
	return nil
}

// StaticURL returns the address of a static file, with a hash of its content
// in the name so that it may be cached for ever: "css/site.css" becomes
// "/static/css/site.3f9a1c2b.css". Those of a blueprint are below its name. It
// begins with [Config].Root; see [Ctx.StaticURL] for that of a request.
func (a *App) StaticURL(name string) (string, error) {
	if err := a.Prepare(); err != nil {
		return "", err
	}
	if a.files == nil {
		return "", fmt.Errorf("retort: static file %s: the app has no folder static; see retort.Embed", name)
	}
	u, err := a.files.URL(name)
	if err != nil {
		return "", err
	}
	return underRoot(a.config.Root, u), nil
}

// StaticURL is [App.StaticURL] below [Ctx.Root].
func (c *Ctx) StaticURL(name string) (string, error) {
	u, err := c.app.StaticURL(name)
	if err != nil {
		return "", err
	}
	return underRoot(c.Root(), strings.TrimPrefix(u, c.app.config.Root)), nil
}
