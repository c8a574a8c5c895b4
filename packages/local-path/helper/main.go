// Command helper makes or removes the folder of one volume. The provisioner
// starts it as a pod on the volume's node:
//
//	helper -p /folder/of/the/volume -s BYTES -m Filesystem -a create|delete
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	path := flag.String("p", "", "`folder` of the volume, absolute")
	action := flag.String("a", "", "create or delete")
	mode := flag.String("m", "Filesystem", "volume mode")
	flag.Int64("s", 0, "size in bytes, which a folder cannot keep to")
	flag.Parse()
	if err := run(*path, *action, *mode); err != nil {
		fmt.Fprintln(os.Stderr, "local-path-helper:", err)
		os.Exit(1)
	}
}

func run(path, action, mode string) error {
	if clean := filepath.Clean(path); !filepath.IsAbs(path) || clean != path || filepath.Dir(path) == "/" {
		return fmt.Errorf("%q is not a clean path below a folder of volumes", path)
	}
	if mode != "Filesystem" {
		return fmt.Errorf("a folder cannot be a volume of mode %s", mode)
	}
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		return os.Chmod(path, 0o777) // whatever the umask is
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("unknown action %q", action)
}
