package main

import (
	"context"
	"os/exec"
	"path/filepath"
)

// buildPeers returns the path of every tool to compare with.
func (b *bench) buildPeers(ctx context.Context) (map[string]string, error) {
	tools := map[string]string{"strake": b.strake}
	for name, path := range map[string]string{
		"ytt": "carvel.dev/ytt/cmd/ytt", "kbld": "carvel.dev/kbld/cmd/kbld", "imgpkg": "carvel.dev/imgpkg/cmd/imgpkg",
		"crane": "github.com/google/go-containerregistry/cmd/crane",
	} {
		file := filepath.Join(b.dir, "bin", name)
		build := command{dir: b.checkout, env: []string{"CGO_ENABLED=0"}, args: []string{"go", "build", "-trimpath", "-o", file, path}}
		if _, err := build.run(ctx); err != nil {
			return nil, err
		}
		tools[name] = file
	}
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		b.report.note("SKIPPED: skopeo is not on PATH and takes no part")
	}
	tools["skopeo"] = skopeo
	return tools, nil
}
