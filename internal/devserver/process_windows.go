package devserver

import (
	"os"
	"os/exec"
)

// ownGroup does nothing here: Windows has no process groups of this kind.
func ownGroup(*exec.Cmd) {}

// terminateGroup ends the process at once; Windows has no gentle signal for a
// process without a console.
func terminateGroup(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) error { return p.Kill() }
