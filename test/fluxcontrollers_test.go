package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// everyController are values that choose all of them, with requests that fit a
// small machine.
const everyController = `components: [source-controller, kustomize-controller, helm-controller, notification-controller, image-reflector-controller, image-automation-controller, source-watcher]
sourceController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
kustomizeController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
helmController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
notificationController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
imageReflectorController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
imageAutomationController: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
sourceWatcher: {resources: {requests: {cpu: 10m, memory: 32Mi}}}
crds: {keep: false}
`

// TestFluxWithEveryController has a version that offers all controllers commit
// the newest tag of an image to git, apply that commit and a part of the
// repository that is an artifact of its own, and tell of it.
func TestFluxWithEveryController(t *testing.T) {
	c := onCluster(t)
	version := withEveryController(t)
	imagesWithinReach(t, "flux", version)
	c.startEmpty(t)
	before := c.snapshot(t)
	c.up(t, "flux@"+version)
	c.setValues(t, "flux", everyController)
	t.Run("work", func(t *testing.T) { fluxAutomates(t, c) })
	c.uninstall(t, c.installs(t), "--delete-objects")
	c.requireNothingLeft(t, before)
}

// withEveryController is the newest picked version of Flux that leaves nothing
// out.
func withEveryController(t *testing.T) string {
	t.Helper()
	newestPicked(t, "flux")
	found := ""
	for _, p := range shared.picked {
		for _, version := range p.versions {
			declared, err := os.ReadFile(filepath.Join("..", "packages", p.name, version, "version.yml"))
			require.NoError(t, err)
			if p.name == "flux" && !strings.Contains(string(declared), "\nleftOut:") {
				found = version
			}
		}
	}
	if found == "" {
		t.Skip("SKIPPED: every published version of Flux leaves a controller out")
	}
	return found
}

func fluxAutomates(t *testing.T, c *cluster) {
	namespace := c.namespace(t, "flux-every")
	repository := serveGit(t, c)
	repository.commit(t, map[string]string{
		"app/kustomization.yaml":  "resources: [message.yaml]\n",
		"app/message.yaml":        markedMessage(namespace),
		"part/kustomization.yaml": "resources: [message.yaml]\n",
		"part/message.yaml":       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-part}\ndata: {message: first}\n",
	})
	image := ""
	for _, tag := range []string{"1.0.0", "1.1.0", "0.9.0"} {
		image = c.pushFluxArtifact(t, tag, map[string]string{"tag": tag})
	}
	events := serveEvents(t, c)
	c.apply(t, gitRepository(namespace, repository.url)+"\n---\n"+kustomization(namespace, "from-git", "GitRepository", "app")+
		"\n---\n"+imageAutomation(namespace, image)+"\n---\n"+artifactOfPart(namespace)+"\n---\n"+alert(namespace, events.url))
	c.waitMessage(t, namespace, "from-git", "1.1.0")
	c.waitMessage(t, namespace, "from-part", "first")
	eventually(t, time.Minute, "an event of the Kustomization arrives", func() (bool, string) {
		return events.count.Load() > 0, c.sayFlux(t, namespace)
	})

	c.pushFluxArtifact(t, "1.2.0", map[string]string{"tag": "1.2.0"})
	c.waitMessage(t, namespace, "from-git", "1.2.0")
}

// markedMessage says a tag, which the automation finds by the comment.
func markedMessage(namespace string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-git\ndata:\n  message: 0.0.1 # {%q: %q}\n",
		"$imagepolicy", namespace+":app:tag")
}

func imageAutomation(namespace, image string) string {
	return fmt.Sprintf(`apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: app, namespace: %[1]s}
spec: {image: %[2]s, interval: %[3]s, insecure: true}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: app, namespace: %[1]s}
spec:
  imageRepositoryRef: {name: app}
  policy: {semver: {range: '>=1.0.0'}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: app, namespace: %[1]s}
spec:
  interval: %[3]s
  sourceRef: {kind: GitRepository, name: app}
  git:
    checkout: {ref: {branch: main}}
    commit: {author: {name: flux, email: flux@example.com}}
    push: {branch: main}
  update: {path: ./app, strategy: Setters}`, namespace, image, tended)
}

// artifactOfPart makes an artifact of a folder of the repository, and applies it.
func artifactOfPart(namespace string) string {
	return fmt.Sprintf(`apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: part, namespace: %s}
spec:
  sources:
  - {alias: repository, kind: GitRepository, name: app}
  artifacts:
  - name: part
    copy:
    - {from: '@repository/part/**', to: '@artifact/app/'}
---
`, namespace) + kustomization(namespace, "from-part", "ExternalArtifact", "part")
}

func alert(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: test, namespace: %[1]s}
spec: {type: generic, address: %[2]q}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: test, namespace: %[1]s}
spec:
  providerRef: {name: test}
  eventSeverity: info
  eventSources:
  - {kind: Kustomization, name: '*'}`, namespace, url)
}

// eventSink counts the events of Kustomizations that notification-controller sends.
type eventSink struct {
	url   string
	count atomic.Int64
}

func (s *eventSink) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var event struct{ InvolvedObject struct{ Kind string } }
	if json.NewDecoder(r.Body).Decode(&event) == nil && event.InvolvedObject.Kind == "Kustomization" {
		s.count.Add(1)
	}
}

func serveEvents(t *testing.T, c *cluster) *eventSink {
	t.Helper()
	s := &eventSink{}
	s.url = serveToPods(t, c, s) + "/events"
	return s
}
