package retort_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/retort-web/retort"
)

// production is a configuration that nothing is wrong with.
func production() retort.Config {
	return retort.Config{
		SecretKey: "kqVzN1c0m3X9wLr7TgYh2BdPfJ8sEuAi", Hosts: []string{"shop.example.com"}, BaseURL: "https://shop.example.com",
		TrustedProxies: []string{"10.0.0.0/24"}, Logger: slog.New(slog.DiscardHandler),
	}
}

type namedExtension string

func (n namedExtension) Name() string              { return string(n) }
func (n namedExtension) Install(*retort.App) error { return nil }

func TestSecurityDeployRules(t *testing.T) {
	t.Parallel()
	ids := func(change func(cfg *retort.Config)) (errors, warnings []string) {
		app := retort.New(production())
		app.Install(namedExtension("security"))
		app.SetConfig(change)
		for _, f := range app.RunChecks(context.Background(), true) {
			if f.Hint == "" || f.Message == "" {
				t.Errorf("%s does not say what to do", f.ID)
			}
			if f.Level == retort.LevelError {
				errors = append(errors, f.ID)
			} else {
				warnings = append(warnings, f.ID)
			}
		}
		return errors, warnings
	}
	if errors, warnings := ids(func(*retort.Config) {}); len(errors)+len(warnings) > 0 {
		t.Errorf("nothing is wrong, and it finds %v %v", errors, warnings)
	}
	for _, tt := range []struct {
		id     string
		fails  bool
		change func(cfg *retort.Config)
	}{
		{"debug", true, func(cfg *retort.Config) { cfg.Debug = true }},
		{"secret_key", true, func(cfg *retort.Config) { cfg.SecretKey = "" }},
		{"secret_key_weak", true, func(cfg *retort.Config) { cfg.SecretKey = "kqVzN1c0m3X9wLr7TgYh2BdPfJ8sEu" }},
		{"secret_key_weak", true, func(cfg *retort.Config) { cfg.SecretKey = "please-change-this-to-your-own-key" }},
		{"secret_key_weak", true, func(cfg *retort.Config) { cfg.SecretKeyFallbacks = []string{"kqVzN1c0m3X9wLr7TgYh"} }},
		{"secret_key_fallbacks", true, func(cfg *retort.Config) { cfg.SecretKeyFallbacks = []string{cfg.SecretKey} }},
		{"hosts", true, func(cfg *retort.Config) { cfg.Hosts = nil }},
		{"hosts", true, func(cfg *retort.Config) { cfg.Hosts = []string{"shop.example.com", "*"} }},
		{"base_url", false, func(cfg *retort.Config) { cfg.BaseURL = "" }},
		{"base_url_scheme", true, func(cfg *retort.Config) { cfg.BaseURL = "http://shop.example.com" }},
		{"tls", true, func(cfg *retort.Config) { cfg.TrustedProxies = nil }},
		{"csrf", true, func(cfg *retort.Config) { cfg.DisableCSRF = true }},
	} {
		errors, warnings := ids(tt.change)
		if slices.Contains(errors, "retort."+tt.id) != tt.fails || slices.Contains(warnings, "retort."+tt.id) == tt.fails || len(errors)+len(warnings) != 1 {
			t.Errorf("%s (fails %v): errors %v, warnings %v", tt.id, tt.fails, errors, warnings)
		}
	}

	app := retort.New(production())
	found := app.RunChecks(context.Background(), true)
	if len(found) != 1 || found[0].ID != "retort.security" {
		t.Errorf("without package security: %v", found)
	}
	app = retort.New(production())
	app.SetConfig(func(cfg *retort.Config) { cfg.SilencedChecks = []string{"retort.security"} })
	if found := app.RunChecks(context.Background(), true); len(found) != 0 {
		t.Errorf("silenced: %v", found)
	}
	for _, f := range app.RunChecks(context.Background(), false) {
		t.Errorf("%s is found when nobody asks about production", f.ID)
	}
}
