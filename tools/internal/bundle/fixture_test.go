package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

const (
	canonical    = "registry.example/strake/demo"
	serverDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	agentDigest  = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// upstream is what the demo package's sources render to.
const upstream = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.demo.example}
spec:
  description: |
    Runs upstream.example/demo/server:latest unless told otherwise. #@ this is text
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: demo}
data:
  agent: upstream.example/demo/agent:1.0
  "yes": "no"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: server, namespace: demo}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: server
        image: upstream.example/demo/server:1.0
      - name: second
        image: upstream.example/demo/server:1.0-debug
`

const schemaText = `#@data/values-schema
---
#@schema/desc "How many copies run"
#@schema/validation min=1, max=5
replicas: 1
#@schema/desc "Verbosity"
#@schema/validation one_of=["info", "debug"]
logLevel: info
`

const overlayText = `#@ load("@ytt:data", "data")
#@ load("@ytt:overlay", "overlay")
#@overlay/match by=overlay.subset({"kind": "Deployment"})
---
spec:
  replicas: #@ data.values.replicas
`

const kbldText = `apiVersion: kbld.k14s.io/v1alpha1
kind: Config
searchRules:
- keyMatcher: {name: agent}
`

const kappText = `apiVersion: kapp.k14s.io/v1alpha1
kind: Config
waitRules: []
`

// repo is a repository that the demo package belongs to.
func repo() catalog.Repository {
	return catalog.Repository{Domain: "strake.test", Canonical: canonical, Version: "1.0.0"}
}

// newVersion writes the demo package's folder and answers with its version.
func newVersion(t *testing.T, edit map[string]string) *catalog.Version {
	t.Helper()
	p := &catalog.Package{
		Dir: t.TempDir(), Name: "demo",
		Metadata: catalog.Metadata{DisplayName: "Demo", ShortDescription: "A demo", Maintainers: []string{"Us"}},
	}
	files := map[string]string{"schema.yml": schemaText, "replicas.yml": overlayText, "kbld.yml": kbldText, "kapp.yml": kappText}
	for name, text := range edit {
		files[name] = text
	}
	for name, text := range files {
		file := filepath.Join(p.Config(), name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return &catalog.Version{
		Package: p, Dir: filepath.Join(p.Dir, "1.0.0"), Version: "1.0.0", Upstream: "1.0",
		ReleasedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ReleaseNotes: "https://example/notes",
		Licenses: []string{"Apache-2.0"}, Kubernetes: ">=1.30.0", KappController: ">=0.50.0", Capacity: "little",
		Includes: []catalog.Software{{Name: "Demo", Version: "1.0"}},
		Images: &catalog.ImagesLock{Source: catalog.FromModule, Images: []catalog.LockedImage{
			{Name: "server", Reference: "upstream.example/demo/server", Digest: serverDigest},
			{Name: "agent", Reference: "upstream.example/demo/agent", Digest: agentDigest},
		}},
	}
}

// objects parses a YAML stream.
func objects(t *testing.T, text string) []manifest.Object {
	t.Helper()
	var list []manifest.Object
	for i, doc := range strings.Split(text, "\n---\n") {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(doc), &content))
		list = append(list, manifest.Object{
			Unstructured: &unstructured.Unstructured{Object: content},
			Origin:       manifest.Origin{File: "upstream/demo.yaml", Line: i + 1},
		})
	}
	return list
}

// text is one file of values.
func text(values string) []bundle.ValuesFile {
	return []bundle.ValuesFile{{Name: "values.yml", Data: []byte(values)}}
}
