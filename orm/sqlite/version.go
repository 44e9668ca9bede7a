package sqlite

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// The default driver is C translated to Go, and calls a C library translated by
// the same means. Each of its versions fits one of the library: with another,
// which an update of all modules brings, it breaks in ways that are hard to
// recognise.
const (
	driverModule  = "modernc.org/sqlite"
	driverVersion = "v1.61.1"
	libcModule    = "modernc.org/libc"
	libcVersion   = "v1.79.0" // in the driver's go.mod
)

// versions looks once at what the program was built of.
var versions = sync.OnceValue(func() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return checkVersions(info.Deps)
})

// checkVersions refuses a library that does not fit the driver. Of drivers other
// than the one this package was written with, it does not know what fits.
func checkVersions(modules []*debug.Module) error {
	linked := map[string]string{}
	for _, m := range modules {
		if m.Replace != nil {
			m = &debug.Module{Path: m.Path, Version: m.Replace.Version}
		}
		linked[m.Path] = m.Version
	}
	if have := linked[libcModule]; linked[driverModule] == driverVersion && have != "" && have != libcVersion {
		return fmt.Errorf("orm/sqlite: the program is built with %s %s, but %s %s needs %s; run: go get %s@%s",
			libcModule, have, driverModule, driverVersion, libcVersion, libcModule, libcVersion)
	}
	return nil
}
