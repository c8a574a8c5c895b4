package lint

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestImagesIn tells what counts as the name of an image and what only looks like one.
func TestImagesIn(t *testing.T) {
	known := repositories(boat())
	tests := []struct {
		name, key, value string
		want             []string
	}{
		{"field", "image", "nginx", []string{"nginx"}},
		{"field with tag", "image", "nginx:1.27", []string{"nginx:1.27"}},
		{"field by suffix", "queue-sidecar-image", "ko://example.com/cmd/queue", []string{"ko://example.com/cmd/queue"}},
		{"camel case", "sidecarImage", "quay.io/a/b", []string{"quay.io/a/b"}},
		{"variable", "RELATED_IMAGE_COLLECTOR", "a/b:1", []string{"a/b:1"}},
		{"flag", "--init-image", "a/b", []string{"a/b"}},
		{"list", "images", "a/b:1", []string{"a/b:1"}},
		{"empty field", "image", "", nil},
		{"template in a field", "image", "{{ .Image }}", nil},
		{"pull policy", "imagePullPolicy", "IfNotPresent", nil},
		{"switch", "podspec-volumes-image", "Disabled", nil},

		{"text with tag", "x", "quay.io/a/b:v1.2", []string{"quay.io/a/b:v1.2"}},
		{"text with digest", "x", "quay.io/a/b@" + digestA, []string{"quay.io/a/b@" + digestA}},
		{"text with port", "x", "localhost:5000/a:1", []string{"localhost:5000/a:1"}},
		{"within text", "x", `use "quay.io/a/b:1", or quay.io/c:2.`, []string{"quay.io/a/b:1", "quay.io/c:2"}},
		{"own scheme", "x", "docker://busybox", []string{"docker://busybox"}},
		{"known repository", "x", "ghcr.io/example/hull", []string{"ghcr.io/example/hull"}},
		{"known bare word", "x", "bare", nil},

		{"API group", "x", "keda.sh/v1alpha1", nil},
		{"RBAC label", "x", "rbac.authorization.k8s.io/aggregate-to-admin: true", nil},
		{"URL", "x", "https://quay.io/a/b:1", nil},
		{"endpoint", "x", "http://collector.default:4317/v1", nil},
		{"address and port", "x", "keda-operator.keda.svc.cluster.local:9666", nil},
		{"no host", "x", "a/b:1", nil},
		{"module", "x", "github.com/a/b@v1.2.3", nil},
		{"ARN", "x", "arn:aws:iam::123456789012:role/a.b/c", nil},
		{"service account", "x", "system:serviceaccount:kube-system/a.b:c", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var texts []string
			for _, ref := range imagesIn(leaf{"p", tt.key, tt.value}, known) {
				texts = append(texts, ref.text)
			}
			require.Equal(t, tt.want, texts)
		})
	}
}

// pod holds images in every place where a cluster may find one.
const pod = `
apiVersion: v1
kind: Pod
metadata:
  name: boat
  namespace: harbour
  annotations:
    example.com/template: '{"spec": {"image": "in/annotation:1"}}'
    kbld.k14s.io/images: '[{"origins": [{"resolved": {"url": "ghcr.io/example/hull:1"}}]}]'
spec:
  containers:
  - name: main
    image: in/container:1
    imagePullPolicy: Always
    args: [--init-image=in/flag:1, --sidecar-image, in/argument:1, --verbose, not/an-image]
    env:
    - name: SIDECAR_IMAGE
      value: in/env:1
    - name: ADDRESS
      value: example.com/path
  volumes:
  - name: model
    image: {reference: in/volume:1}
`

func TestUpstreamImages(t *testing.T) {
	findings := upstreamImages(boat(), toList(object(t, pod)))
	require.Equal(t, []string{
		`metadata.annotations["example.com/template"].spec.image names the image "in/annotation:1", which is not locked`,
		`spec.containers[0].args[0] names the image "in/flag:1", which is not locked`,
		`spec.containers[0].args[2] names the image "in/argument:1", which is not locked`,
		`spec.containers[0].env[0].value names the image "in/env:1", which is not locked`,
		`spec.containers[0].image names the image "in/container:1", which is not locked`,
		`spec.volumes[0].image.reference names the image "in/volume:1", which is not locked`,
	}, messages(findings))
	first := findings[0]
	require.Equal(t, "Pod harbour/boat", first.Object)
	require.Equal(t, "upstream/boat.yml", first.File)
	require.Equal(t, 7, first.Line)
	require.Contains(t, first.Remedy, `run "strake images lock boat@1.0.0"`)
}

func TestUpstreamImagesInData(t *testing.T) {
	findings := upstreamImages(boat(), toList(object(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: boat}
data:
  collector: quay.io/example/collector:1
  pod.yml: |
    # a document of its own
    spec:
      image: in/document:1
`)))
	require.Equal(t, []string{
		`data.collector names the image "quay.io/example/collector:1", which is not locked`,
		`data["pod.yml"].spec.image names the image "in/document:1", which is not locked`,
	}, messages(findings))
}

func TestUpstreamImagesThatAreLocked(t *testing.T) {
	require.Empty(t, upstreamImages(boat(), toList(object(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: boat, labels: {example.com/v: "1.2"}}
data:
  image: ghcr.io/example/hull:main
  queue-sidecar-image: ko://example.com/cmd/queue
  other: ghcr.io/example/hull@`+digestB+`
  api: keda.sh/v1alpha1
  bare-image: bare
  description: such as quay.io/a/b:1
`))))
}

func TestFinalImages(t *testing.T) {
	config := func(value string) []string {
		return messages(finalImages(boat(), canonical, toList(object(t, fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: boat}
data: {image: %q}
`, value)))))
	}
	require.Empty(t, config(canonical+"@"+digestA))
	for name, value := range map[string]string{
		"not the locked digest":                  canonical + "@" + digestB,
		"a tag of the canonical":                 canonical + ":1",
		"upstream's, as if kbld had not seen it": "ghcr.io/example/hull:main",
		"another repository":                     "ghcr.io/example/hull@" + digestA,
	} {
		require.Equal(t, []string{fmt.Sprintf("data.image names the image %q, which is not locked", value)}, config(value), name)
	}
}

func FuzzImagesIn(f *testing.F) {
	for _, seed := range []string{"quay.io/a/b:1", "ko://x", "a@sha256:", "://", "{a: [b", "--x-image=y:1"} {
		f.Add("image", seed)
	}
	known := repositories(boat())
	f.Fuzz(func(t *testing.T, key, value string) {
		walk(map[string]any{key: value}, func(l leaf) {
			for _, ref := range imagesIn(l, known) {
				if ref.text == "" || ref.repository == "" {
					t.Errorf("empty reference in %q", value)
				}
			}
		})
	})
}
