package gitops

import (
	"errors"
	"fmt"
	"strings"

	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/packaging/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// fetchAnnotation names, on a PackageInstall, the Secret by which its bundle is
// fetched.
const fetchAnnotation = "ext.packaging.carvel.dev/fetch-0-secret-name"

// fields are those of an object, or a part of one.
type fields = map[string]any

func object(apiVersion, kind, namespace, name string, spec fields) manifest.Object {
	o := &unstructured.Unstructured{Object: fields{}}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetName(name)
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	if spec != nil {
		o.Object["spec"] = spec
	}
	return manifest.Object{Unstructured: o}
}

// installs are the namespace of the PackageInstalls among the platform's
// objects, and the Secret by which these fetch, if all name the same.
func installs(platform []manifest.Object) (namespace, fetchSecret string, err error) {
	for _, o := range platform {
		if !isInstall(o) {
			continue
		}
		secret := o.GetAnnotations()[fetchAnnotation]
		switch {
		case namespace == "":
			namespace, fetchSecret = o.GetNamespace(), secret
		case namespace != o.GetNamespace():
			return "", "", fmt.Errorf("PackageInstalls are in the namespaces %s and %s, and a PackageRepository serves only one; choose one in the values", namespace, o.GetNamespace())
		case fetchSecret != secret:
			fetchSecret = ""
		}
	}
	if namespace == "" {
		return "", "", errNoInstall
	}
	return namespace, fetchSecret, nil
}

func isInstall(o manifest.Object) bool {
	return o.GetKind() == "PackageInstall" && o.GroupVersionKind().Group == packaging.SchemeGroupVersion.Group
}

// pinned is a repository at a digest, whatever tag it was given with.
func pinned(repository, digest string) (string, error) {
	if repository == "" {
		return "", errors.New("it has no registry; set registry in environment.yml, or pass the location of the package repository with --repository")
	}
	name, given, hasDigest := strings.Cut(repository, "@")
	if hasDigest && given != digest {
		return "", fmt.Errorf("%s is not the digest of this checkout, which is %s; omit the digest, or use the checkout that was pushed", repository, digest)
	}
	host, path, found := strings.Cut(name, "/")
	path, _, _ = strings.Cut(path, ":")
	if !found || path == "" || host == "" || strings.Contains(name, "://") {
		return "", fmt.Errorf("%q is not a repository; write HOST/PATH, HOST/PATH:TAG or HOST/PATH@DIGEST", repository)
	}
	return host + "/" + path + "@" + digest, nil
}

func (p *plan) packageRepository() manifest.Object {
	fetch := fields{"image": p.image}
	if p.fetchSecret != "" {
		fetch["secretRef"] = fields{"name": p.fetchSecret}
	}
	return object(packaging.SchemeGroupVersion.String(), "PackageRepository", p.namespace, p.name, fields{"fetch": fields{"imgpkgBundle": fetch}})
}

func (p *plan) packageInstall() manifest.Object {
	values := []any{fields{"secretRef": fields{"name": p.valuesSecret()}}}
	if p.options.ValuesSecret != "" {
		values = append(values, fields{"secretRef": fields{"name": p.options.ValuesSecret}})
	}
	o := object(packaging.SchemeGroupVersion.String(), "PackageInstall", p.namespace, p.name, fields{
		"serviceAccountName": p.name + "-installer",
		"packageRef":         fields{"refName": p.refName, "versionSelection": fields{"constraints": p.version}},
		"values":             values,
	})
	if p.fetchSecret != "" {
		o.SetAnnotations(map[string]string{fetchAnnotation: p.fetchSecret})
	}
	return o
}

// valuesSecret is what kustomize makes of values.yml, to which it adds a hash of
// the content.
func (p *plan) valuesSecret() string { return p.name + "-values" }
