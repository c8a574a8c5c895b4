package cli

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdDisk mounts a small disk, until the script ends at the latest:
//
//	disk DIR SIZE     mounts 8m, say, at DIR
func cmdDisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: disk DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(mount(dir, args[1]))
	ts.Defer(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// cmdUndisk takes a disk away again:
//
//	undisk DIR
func cmdUndisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: undisk DIR")
	}
	ts.Check(syscall.Unmount(ts.MkAbs(args[0]), syscall.MNT_DETACH))
}

func mount(dir, size string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size) }

// condition is what scripts may ask for: [disk], that small disks can be
// mounted, which takes root.
func condition(name string) (bool, error) {
	if name != "disk" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	dir, err := os.MkdirTemp("", "strake-disk-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if mount(dir, "1m") != nil {
		return false, nil
	}
	return true, syscall.Unmount(dir, 0)
}

// cmdWaitFor waits until a file is there and holds text:
//
//	waitfor FILE [TEXT]
func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: waitfor FILE [TEXT]")
	}
	text := append(args, "")[1]
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Contains(content, []byte(text)) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not hold %q after 20 s: %s", args[0], text, content)
		}
	}
}
