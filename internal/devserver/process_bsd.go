//go:build unix && !linux

package devserver

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a command into a process group of its own, so that it can be
// stopped with its children and does not get the terminal's Ctrl-C twice.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
