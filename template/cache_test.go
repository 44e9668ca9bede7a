package template

import (
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func TestCacheMakesRoom(t *testing.T) {
	t.Parallel()
	loads := map[string]int{}
	e := mustEngine(t, Options{CacheSize: 3, Loader: LoaderFunc(func(name string) (Source, error) {
		if name == "missing" {
			return Source{}, fs.ErrNotExist
		}
		loads[name]++
		return Source{Text: name}, nil
	})})
	for _, name := range []string{"a", "b", "c", "a", "d", "a", "e", "a", "f", "a"} {
		if tpl, err := e.Get(name); err != nil || tpl.Name() != name {
			t.Fatal(err)
		}
	}
	if loads["a"] != 1 || len(e.cache.entries) != 3 || len(e.cache.ring) != 3 {
		t.Error(loads, len(e.cache.entries))
	}
	if _, err := e.Select("missing", "b"); err != nil || loads["b"] != 2 {
		t.Error(err, loads)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{CacheSize: 10, Loader: LoaderFunc(func(name string) (Source, error) { return Source{Text: name}, nil })})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				name := fmt.Sprint("t", (i*7+g)%25)
				tpl, err := e.Get(name)
				if err != nil || tpl.Name() != name {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(e.cache.entries) != 10 {
		t.Error(len(e.cache.entries))
	}
}

func TestReloadSeesWhatComesBefore(t *testing.T) {
	t.Parallel()
	first, second := fstest.MapFS{}, fstest.MapFS{"a.html": {Data: []byte("second"), ModTime: time.Unix(1, 0)}}
	e := mustEngine(t, Options{AutoReload: true, Loader: Choice(FS(first), FS(second))})
	show := func(want string) {
		t.Helper()
		tpl, err := e.Get("a.html")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := tpl.Append(nil, Execution{}); err != nil || string(out) != want {
			t.Errorf("got %s, %v", out, err)
		}
	}
	show("second")
	first["a.html"] = &fstest.MapFile{Data: []byte("first"), ModTime: time.Unix(2, 0)}
	show("first")
	delete(first, "a.html")
	show("second")
}
