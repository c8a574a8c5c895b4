package child

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes put a child into a group of its own, and make it end with its parent.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Fields of /proc/PID/stat behind the program's name, see proc_pid_stat(5).
const (
	statGroup    = 2
	statResident = 21 // in pages
)

// resident is the memory of all processes of a group, in bytes.
func resident(group int) int64 {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	want, pages := []byte(strconv.Itoa(group)), int64(0)
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name stands in parentheses and may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > statResident && bytes.Equal(fields[statGroup], want) {
			n, _ := strconv.ParseInt(string(fields[statResident]), 10, 64)
			pages += n
		}
	}
	return pages * int64(os.Getpagesize())
}
