package main

import (
	"os/exec"
	"syscall"
)

// outlive lets a process not end with its parent: Ctrl-C at the parent's console
// does not reach it.
func outlive(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
