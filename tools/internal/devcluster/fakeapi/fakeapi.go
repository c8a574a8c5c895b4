// Package fakeapi is an API server in the process, for tests of what only reads and
// deletes: it serves the objects that it is given, and their discovery. Nothing
// reconciles there, and no object is validated; what depends on that is tested on a
// real cluster.
//
// It must not know any kind. Start reading at [Start].
package fakeapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
)

// Server serves objects.
type Server struct {
	mu      sync.Mutex
	objects []*unstructured.Unstructured
	writes  []string
}

// Start starts a server of the objects in YAML documents. The text is a kubeconfig
// for it, with the one context "fake". Whoever starts a server closes it.
func Start(documents string) (s *Server, stop func(), kubeconfig []byte, err error) {
	s = &Server{}
	for document := range strings.SplitSeq(documents, "\n---\n") {
		content, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return nil, nil, nil, err
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(content); err != nil {
			return nil, nil, nil, err
		}
		s.objects = append(s.objects, o)
	}
	server := httptest.NewServer(s)
	config := clientcmdapi.NewConfig()
	config.Clusters["fake"] = &clientcmdapi.Cluster{Server: server.URL}
	config.Contexts["fake"] = &clientcmdapi.Context{Cluster: "fake"}
	config.CurrentContext = "fake"
	kubeconfig, err = clientcmd.Write(*config)
	return s, server.Close, kubeconfig, err
}

// New is [Start] for as long as a test lasts. The path is the kubeconfig's.
func New(t testing.TB, documents string) (s *Server, kubeconfig string) {
	t.Helper()
	s, stop, text, err := Start(documents)
	require.NoError(t, err)
	t.Cleanup(stop)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, text, 0o600))
	return s, kubeconfig
}

// Writes are the requests, as METHOD PATH, that were no reads.
func (s *Server) Writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// ServeHTTP answers what a client of the API asks.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet {
		s.writes = append(s.writes, r.Method+" "+r.URL.Path)
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	version := schema.GroupVersion{}
	switch {
	case r.URL.Path == "/api":
		reply(w, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
		return
	case r.URL.Path == "/apis":
		reply(w, s.groups())
		return
	case parts[0] == "api" && len(parts) > 1:
		version.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 2:
		version.Group, version.Version, parts = parts[1], parts[2], parts[3:]
	}
	kinds := s.kinds()[version]
	if len(kinds) == 0 {
		notFound(w)
		return
	}
	if len(parts) == 0 {
		reply(w, resources(version, kinds))
		return
	}
	s.serve(w, r, version, parts)
}

// serve answers for the objects of one resource: [namespaces NAMESPACE] PLURAL [NAME].
func (s *Server) serve(w http.ResponseWriter, r *http.Request, version schema.GroupVersion, parts []string) {
	namespace := ""
	if parts[0] == "namespaces" && len(parts) > 2 {
		namespace, parts = parts[1], parts[2:]
	}
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		notFound(w)
		return
	}
	items := []any{}
	for i, o := range s.objects {
		plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
		switch {
		case plural != version.WithResource(parts[0]) || namespace != "" && o.GetNamespace() != namespace:
		case len(parts) == 1 && selector.Matches(labels.Set(o.GetLabels())):
			items = append(items, o.Object)
		case len(parts) == 2 && parts[1] == o.GetName() && r.Method == http.MethodDelete:
			s.objects = slices.Delete(s.objects, i, i+1)
			reply(w, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess})
			return
		case len(parts) == 2 && parts[1] == o.GetName():
			reply(w, o.Object)
			return
		}
	}
	if len(parts) > 1 {
		notFound(w)
		return
	}
	reply(w, map[string]any{"kind": s.kindOf(version, parts[0]) + "List", "apiVersion": version.String(), "metadata": map[string]any{}, "items": items})
}

// kindOf is the kind of a resource, or nothing for one that no object has.
func (s *Server) kindOf(version schema.GroupVersion, resource string) string {
	for kind := range s.kinds()[version] {
		if plural, _ := meta.UnsafeGuessKindToResource(version.WithKind(kind)); plural.Resource == resource {
			return kind
		}
	}
	return ""
}

// kinds are those of the objects and the few that every cluster has, by version.
func (s *Server) kinds() map[schema.GroupVersion]map[string]bool {
	core, apps := schema.GroupVersion{Version: "v1"}, schema.GroupVersion{Group: "apps", Version: "v1"}
	kinds := map[schema.GroupVersion]map[string]bool{
		core: {"ConfigMap": true, "Secret": true, "Pod": true},
		apps: {"Deployment": true, "StatefulSet": true, "DaemonSet": true},
	}
	for _, o := range s.objects {
		version := o.GroupVersionKind().GroupVersion()
		if kinds[version] == nil {
			kinds[version] = map[string]bool{}
		}
		kinds[version][o.GetKind()] = true
	}
	return kinds
}

func (s *Server) groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for version := range s.kinds() {
		if version.Group == "" {
			continue
		}
		served := metav1.GroupVersionForDiscovery{GroupVersion: version.String(), Version: version.Version}
		list.Groups = append(list.Groups, metav1.APIGroup{Name: version.Group, Versions: []metav1.GroupVersionForDiscovery{served}, PreferredVersion: served})
	}
	return list
}

// resources describes kinds as namespaced, which is what the tests' objects are.
func resources(version schema.GroupVersion, kinds map[string]bool) metav1.APIResourceList {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: version.String()}
	for kind := range kinds {
		plural, singular := meta.UnsafeGuessKindToResource(version.WithKind(kind))
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: plural.Resource, SingularName: singular.Resource, Namespaced: true, Kind: kind,
			Verbs: metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"},
		})
	}
	return list
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound, Message: "not found",
	})
}

func reply(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content)
}
