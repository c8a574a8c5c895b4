package oci

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
)

// serveSources are the files of this package that make the embedded registry.
//
//go:embed serve.go serve_drain.go serve_key.go serve_log.go serve_readonly.go serve_repair.go
var serveSources embed.FS

// ServeKey is the hash of all that decides how [Serve] works: its sources,
// Go's release, and the version of distribution. Programs of one key serve
// alike, whatever else in them differs.
func ServeKey() string {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if strings.HasPrefix(module.Path, "github.com/distribution/distribution/") {
				fmt.Fprintln(hash, module.Path, module.Version)
			}
		}
	}
	// It fails for no embedded file.
	_ = fs.WalkDir(serveSources, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := serveSources.ReadFile(name)
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil))
}
