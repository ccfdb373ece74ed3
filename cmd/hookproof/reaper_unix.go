//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// outlive lets a process not end with its parent: a signal to the parent's
// group, or to its terminal's session, does not reach it.
func outlive(process *exec.Cmd) { process.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
