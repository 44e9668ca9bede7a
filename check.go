package retort

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Level says how bad a finding of a check is.
type Level string

// The levels of a finding. Errors make the command `check` fail.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Finding is what a check found.
type Finding struct {
	ID      string `json:"id"` // stable, to silence it by: "retort.secret_key"
	Level   Level  `json:"level"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do
}

// Check looks for mistakes in how the app is put together. Deploy is set when
// it is asked about production.
type Check func(ctx context.Context, app *App, deploy bool) []Finding

// Check adds a check to the command `check`.
func (a *App) Check(c Check) { a.checks = append(a.checks, c) }

// RunChecks runs all checks, the app's own and those that were added, and
// returns what they found but for [Config].SilencedChecks.
func (a *App) RunChecks(ctx context.Context, deploy bool) []Finding {
	var found []Finding
	if err := a.Prepare(); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			found = append(found, Finding{ID: "retort.start", Level: LevelError, Message: line})
		}
		return found
	}
	found = append(found, a.checkAssets()...)
	if deploy {
		found = append(found, a.checkDeploy()...)
	}
	for _, c := range a.checks {
		found = append(found, c(a.withBase(ctx), a, deploy)...)
	}
	return append(a.ofLevel(found, true), a.ofLevel(found, false)...)
}

// ofLevel returns the errors among the findings, or the others, without those
// that are silenced.
func (a *App) ofLevel(found []Finding, errors bool) (some []Finding) {
	for _, f := range found {
		if (f.Level == LevelError) == errors && !slices.Contains(a.config.SilencedChecks, f.ID) {
			some = append(some, f)
		}
	}
	return some
}

// checkAssets reads all templates and looks for broken references of the static
// files.
func (a *App) checkAssets() (found []Finding) {
	e := a.engine
	if make := a.engineMaker(); e == nil && make != nil {
		var err error
		if e, err = make(a); err != nil {
			found = append(found, Finding{ID: "retort.template", Level: LevelError, Message: err.Error()})
		}
	}
	if e != nil {
		found = append(found, e.check()...)
	} else {
		found = append(found, a.uncheckedTemplates()...)
	}
	if a.files != nil {
		for _, err := range a.files.Check() {
			found = append(found, Finding{ID: "retort.static", Level: LevelWarning, Message: err.Error()})
		}
	}
	return found
}

// engineMaker returns what makes the template engine: a call that only apps with
// templates make says so, or whichever assets of the app and its blueprints were
// embedded. It is nil where there is neither, as this code must not link the engine.
func (a *App) engineMaker() func(a *App) (engine, error) {
	if a.makeEngine != nil {
		return a.makeEngine
	}
	if assets := a.config.Assets; assets != nil && assets.engine != nil {
		return assets.engine
	}
	if make := a.scope.engineMaker(); make != nil {
		return make
	}
	return linkedEngine
}

// linkedEngine makes the template engine in programs built with the tag
// retort_templates.
var linkedEngine func(a *App) (engine, error)

const templatesUnread = "retort.template_unread"

// uncheckedTemplates says that there are templates which this program cannot
// read here: only its handlers know the engine.
func (a *App) uncheckedTemplates() []Finding {
	sources, _, err := a.assetSources()
	if err != nil {
		return nil // reported when the app was prepared
	}
	for _, s := range sources {
		if entries, err := fs.ReadDir(s.fsys, "."); err == nil && len(entries) > 0 {
			return []Finding{{
				ID: templatesUnread, Level: LevelWarning,
				Message: fmt.Sprintf("the templates of the folder %stemplates were not checked: nothing but the handlers of this program refers to templates", s.prefix),
				Hint:    "embed them with retort.Embed, or check with: go run -tags retort_templates . check",
			}}
		}
	}
	return nil
}

func (s *scope) engineMaker() func(a *App) (engine, error) {
	for _, reg := range s.blueprints {
		if assets := reg.blueprint.options.Assets; assets != nil && assets.engine != nil {
			return assets.engine
		}
		if make := reg.blueprint.engineMaker(); make != nil {
			return make
		}
	}
	return nil
}
