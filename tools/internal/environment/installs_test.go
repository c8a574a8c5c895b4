package environment

import (
	"testing"

	vendir "carvel.dev/vendir/pkg/vendir/versions/v1alpha1"
	"github.com/stretchr/testify/require"
	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/packaging/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// boats offers four versions of a package, of which the newest is for a later
// Kubernetes and 2.0.0 for a later kapp-controller, and keeps 1.9.0 to itself.
func boats() *catalog.Catalog {
	p := &catalog.Package{Name: "boat"}
	for _, version := range []string{"1.0.0", "1.1.0-rc.1", "1.1.0", "1.9.0", "2.0.0", "3.0.0"} {
		p.Versions = append(p.Versions, &catalog.Version{Package: p, Version: version, Kubernetes: ">=1.30.0"})
	}
	p.Versions[4].KappController = ">=0.60.0"
	p.Versions[5].Kubernetes = ">=1.40.0"
	return &catalog.Catalog{
		Packages:   []*catalog.Package{p},
		Repository: catalog.Repository{Domain: "strake.test", Published: map[string][]string{"boat": {"1.0.0", "1.1.0-rc.1", "1.1.0", "2.0.0", "3.0.0"}}},
	}
}

func TestSelected(t *testing.T) {
	for _, test := range []struct{ constraint, kubernetes, kappController, want string }{
		{">=1.0.0", "1.34.4", "", "2.0.0"},
		{">=1.0.0", "1.34.4", "0.51.0", "1.1.0"},
		{">=1.0.0", "1.40.0", "0.51.0", "3.0.0"},
		{">=1.0.0 <1.1.0", "1.34.4", "", "1.0.0"},
		{"1.1.0-rc.1", "1.34.4", "", "1.1.0-rc.1"},
		{"", "1.34.4", "0.51.0", "1.1.0"},
		{">=1.0.0", "v1.34.0-gke.1709000", "", "2.0.0"},
		{">=1.0.0", "1.40.0-eks-3025e55", "0.51.0+build.1", "3.0.0"},
	} {
		v, err := selected(boats(), &catalog.Environment{Kubernetes: test.kubernetes, KappController: test.kappController}, install(test.constraint))
		require.NoError(t, err, test.constraint)
		require.Equal(t, test.want, v.Version, test.constraint)
	}
	_, err := selected(boats(), &catalog.Environment{Kubernetes: "1.34.4"}, install("1.9.0"))
	require.EqualError(t, err, `no version of boat is in the range "1.9.0" and for Kubernetes 1.34.4; offered: 1.0.0, 1.1.0-rc.1, 1.1.0, 2.0.0, 3.0.0`)
}

func install(constraint string) packaging.PackageInstall {
	return packaging.PackageInstall{
		ObjectMeta: metav1.ObjectMeta{Name: "boat", Namespace: "sea"},
		Spec: packaging.PackageInstallSpec{PackageRef: &packaging.PackageRef{
			RefName: "boat.strake.test", VersionSelection: &vendir.VersionSelectionSemver{Constraints: constraint},
		}},
	}
}

const ofPlatform = `apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: mine
  namespace: sea
  annotations:
    ext.packaging.carvel.dev/ytt-paths-from-secret-name.b: more
    ext.packaging.carvel.dev/ytt-paths-from-secret-name: overlays
    ext.packaging.carvel.dev/fetch-0-secret-name: credentials
spec:
  packageRef: {refName: boat.strake.test, versionSelection: {constraints: 1.0.0}}
  values:
  - secretRef: {name: values}
  - secretRef: {name: values-too}
`

func secret(name, fields string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: sea}\n" + fields + "\n"
}

func objects(t *testing.T, documents ...string) []manifest.Object {
	t.Helper()
	var list []manifest.Object
	for _, text := range documents {
		o := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
		list = append(list, manifest.Object{Unstructured: o})
	}
	return list
}

func TestInstalls(t *testing.T) {
	e := &catalog.Environment{Kubernetes: "1.34.4"}
	list := objects(t, ofPlatform,
		secret("values", "stringData: {b.yml: 'b: 1', a.yml: 'a: 1'}"),
		secret("values-too", "data: {c.yml: YzogMQ==}"),
		secret("overlays", "stringData: {x.yml: first}"),
		secret("more", "stringData: {y.yml: second}"))
	packages, err := installs(boats(), e, list)
	require.NoError(t, err)
	require.Len(t, packages, 1)
	require.Equal(t, "boat 1.0.0", packages[0].Version.ID())
	require.Equal(t, []bundle.ValuesFile{{Name: "a.yml", Data: []byte("a: 1")}, {Name: "b.yml", Data: []byte("b: 1")}, {Name: "c.yml", Data: []byte("c: 1")}}, packages[0].Values)
	require.Equal(t, map[string][]byte{"x.yml": []byte("first"), "y.yml": []byte("second")}, packages[0].Overlays)

	_, err = installs(boats(), e, list[:2])
	require.EqualError(t, err, "PackageInstall mine: it names the Secret values-too, which is not among the platform's objects")
}

func TestChoose(t *testing.T) {
	all := []Package{{Version: boats().Packages[0].Versions[0]}}
	chosen, err := choose(all, []string{"boat"})
	require.NoError(t, err)
	require.Equal(t, all, chosen)
	_, err = choose(all, []string{"ship"})
	require.EqualError(t, err, `package "ship" is not installed; installed packages: boat`)
}
