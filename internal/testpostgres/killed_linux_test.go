package testpostgres_test

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testpostgres"
)

// child is set in the process that plays a test which is killed.
const child = "RETORT_TEST_CHILD"

// The server runs as a user of its own, and still ends with the test.
func TestServerEndsWithItsTest(t *testing.T) {
	if os.Getenv(child) != "" {
		server := testpostgres.Start(t)
		_, _ = os.Stdout.WriteString("at " + server.URL + "\n")
		select {} // until the kill
	}
	t.Parallel()
	// What is killed leaves its folder behind, in this one, which its user may enter.
	folder, err := os.MkdirTemp("", "killed")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // nothing is in it
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithItsTest$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1", "TMPDIR="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, said := "", ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		said += lines.Text() + "\n"
		if rest, ok := strings.CutPrefix(lines.Text(), "at "); ok {
			address = rest
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // that it was killed is no news
	if strings.Contains(said, "--- SKIP") {
		_ = os.RemoveAll(folder) // it is empty
		t.Skip(said)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		t.Fatal(err, said)
	}
	deadline := time.Now().Add(time.Minute)
	for ; ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the server runs on after its test was killed")
		}
	}
	// Its other processes notice that they are alone and end, too.
	for err = os.RemoveAll(folder); err != nil; err = os.RemoveAll(folder) {
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
