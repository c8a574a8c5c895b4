package child

import (
	"bytes"
	"fmt"
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

// resident is the memory of one process, in bytes.
func resident(pid int) int64 {
	_, pages := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return pages * int64(os.Getpagesize())
}

// residentGroup is the memory of all processes of a group, in bytes.
func residentGroup(group int) int64 {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	total := int64(0)
	for _, file := range files {
		if in, pages := readStat(file); in == group {
			total += pages
		}
	}
	return total * int64(os.Getpagesize())
}

// readStat reads a process's group and resident pages; both are 0 once it has ended.
func readStat(file string) (group int, pages int64) {
	stat, err := os.ReadFile(file)
	if err != nil {
		return 0, 0
	}
	// The name stands in parentheses and may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= statResident {
		return 0, 0
	}
	group, _ = strconv.Atoi(string(fields[statGroup]))
	pages, _ = strconv.ParseInt(string(fields[statResident]), 10, 64)
	return group, pages
}
