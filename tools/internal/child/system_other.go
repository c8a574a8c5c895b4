//go:build !linux

package child

import "syscall"

// attributes put a child into a group of its own. Its stdin ends with its parent.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// resident and residentGroup are not known here: Go's own limit, which is soft, is all that there is.
func resident(int) int64 { return 0 }

func residentGroup(int) int64 { return 0 }
