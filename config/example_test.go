package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/retort-web/retort/config"
)

// Settings from a file, from the environment and by default.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := "workers = 8\n\n[session]\nlifetime = \"12h\"\n"
	if err := os.WriteFile(filepath.Join(dir, "retort.toml"), []byte(file), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	var cfg struct {
		Addr    string `default:":5000"`
		Workers int    `default:"4" min:"1" max:"64"`
		Secret  string `env:"SECRET_KEY"`
		Session struct {
			Lifetime time.Duration `default:"31d"`
		}
	}
	report, err := config.Load(&cfg, config.Options{
		Dir:     dir,
		Environ: []string{"RETORT_ADDR=:80", "SECRET_KEY=nobody may see this"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.Addr, cfg.Workers, cfg.Session.Lifetime)
	report.WriteText(os.Stdout)
	// Output:
	// :80 8 12h0m0s
	// addr              :80       environment variable RETORT_ADDR
	// workers           8         retort.toml:1
	// secret            ********  environment variable SECRET_KEY
	// session.lifetime  12h       retort.toml:4
}

// All mistakes are told at once, with their place and what is allowed.
func ExampleError() {
	var cfg struct {
		Workers int    `min:"1" max:"64"`
		Log     string `oneof:"text json"`
	}
	_, err := config.Load(&cfg, config.Options{
		Environ: []string{"RETORT_WORKERS=many", "RETORT_LOG=xml"},
		Files:   []string{}, DotEnv: []string{},
	})
	fmt.Println(err)
	// Output:
	// config: 2 settings are wrong:
	//   environment variable RETORT_WORKERS: workers is "many", must be a whole number
	//   environment variable RETORT_LOG: log is "xml", must be one of text, json
}

// A value as a debug page or a log may show it.
func ExampleMask() {
	fmt.Println(config.Mask("STRIPE_API_KEY", "sk_live_4eC39Hq"))
	fmt.Println(config.Mask("database", "postgres://ada:lovelace@db/blog"))
	fmt.Println(config.Mask("addr", ":5000"))
	// Output:
	// ********
	// postgres://ada:********@db/blog
	// :5000
}
