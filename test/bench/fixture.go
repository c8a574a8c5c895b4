package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// The fixture is a checkout of one package with one large image: a Go program
// that carries random bytes, which no compression makes smaller.
const (
	largeModule  = "example.test/large"
	largeVersion = "v1.0.0"
	largeBytes   = 200 << 20
)

// largeFiles are the fixture's checkout; %s is the module's path.
func largeFiles() map[string]string {
	return map[string]string{
		"repo/repository.yml": "domain: bench.test\ncanonical: registry.bench.test/strake/bench\nversion: 0.1.0\npublished:\n  large: [1.0.0]\n",
		"packages/large/package.yml": `name: large
metadata:
  displayName: Large
  shortDescription: A program that carries random bytes.
  longDescription: One large image, for the bench.
  providerName: Strake
  maintainers: [Strake]
  categories: [bench]
  source: https://example.test/large
manifests:
- kind: plain
  path: upstream/large/deploy
images:
- name: large
  reference: example.test/large
  command: example.test/large
`,
		"packages/large/vendir.yml": `apiVersion: vendir.k14s.io/v1alpha1
kind: Config
directories:
- path: upstream
  contents:
  - path: large
    directory: {path: "module://example.test/large"}
    includePaths: [deploy/**/*]
`,
		"packages/large/config/schema.yml": `#@data/values-schema
---
#@schema/desc "Number of pods."
#@schema/examples ("Two", 2)
replicas: 1
`,
		"packages/large/1.0.0/version.yml": `version: 1.0.0
releasedAt: 2026-01-01T00:00:00Z
releaseNotes: None.
licenses: [Apache-2.0]
kubernetes: ">=1.29.0"
includes:
- {name: Large, version: 1.0.0, description: Random bytes.}
`,
		"packages/large/1.0.0/go.mod": "module large\n\ngo 1.26.0\n\ntool example.test/large\n\nrequire example.test/large v1.0.0 // indirect\n",
	}
}

// moduleFiles are the program's source; the random bytes come beside them.
func moduleFiles() map[string]string {
	return map[string]string{
		"go.mod":  "module example.test/large\n\ngo 1.26.0\n",
		"main.go": "// Command large only has a size.\npackage main\n\nimport _ \"embed\"\n\n//go:embed random\nvar random string\n\nfunc main() { println(len(random)) }\n",
		"deploy/large.yml": `apiVersion: v1
kind: Pod
metadata: {name: large}
spec:
  containers:
  - {name: large, image: "example.test/large:1.0.0"}
`,
	}
}

// makeLarge writes the fixture and returns its checkout and the
// environment that lets the go command find its module.
func (b *bench) makeLarge() (checkout string, env []string, err error) {
	checkout, source, proxy := filepath.Join(b.dir, "large"), filepath.Join(b.dir, "large-module"), filepath.Join(b.dir, "proxy")
	if err := writeFiles(source, moduleFiles()); err != nil {
		return "", nil, err
	}
	if err := writeRandom(filepath.Join(source, "random")); err != nil {
		return "", nil, err
	}
	sum, err := publish(source, filepath.Join(proxy, largeModule, "@v", largeVersion))
	if err != nil {
		return "", nil, fmt.Errorf("making a module proxy of %s: %w", source, err)
	}
	files := largeFiles()
	files["packages/large/1.0.0/go.sum"] = sum
	return checkout, []string{
		"GOPROXY=file://" + filepath.ToSlash(proxy), "GOSUMDB=off", "GOFLAGS=-modcacherw",
		"GOMODCACHE=" + filepath.Join(b.dir, "modules"), "STRAKE_CACHE=" + filepath.Join(b.dir, "large-cache"),
	}, writeFiles(checkout, files)
}

func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func writeRandom(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(f, rand.Reader, largeBytes)
	return err
}

// publish writes a module proxy's files for the module in dir, and answers
// with its lines of go.sum (https://go.dev/ref/mod#module-proxy).
func publish(dir, base string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	err = writeFiles(filepath.Dir(base), map[string]string{
		largeVersion + ".mod": string(mod), largeVersion + ".info": `{"Version":"v1.0.0"}`,
	})
	if err != nil {
		return "", err
	}
	if err := writeZip(dir, base+".zip"); err != nil {
		return "", err
	}
	content, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	if err != nil {
		return "", err
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", largeModule, largeVersion, content, largeModule, largeVersion, modSum), err
}

// writeZip streams the archive: what this process holds in memory counts as
// the peak of every process that it starts.
func writeZip(dir, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return zip.CreateFromDir(f, module.Version{Path: largeModule, Version: largeVersion}, dir)
}
