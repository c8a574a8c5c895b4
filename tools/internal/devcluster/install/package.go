package install

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The APIs of kapp-controller: what it watches, and what it serves itself.
const (
	packaging   = "packaging.carvel.dev/v1alpha1"
	packagesAPI = "data.packaging.carvel.dev/v1alpha1"
)

// Repository is a package repository to offer on the cluster.
type Repository struct {
	// Name and Namespace are the PackageRepository's; packages are then
	// offered in this namespace, which is made if it is missing. kapp-controller
	// offers those of its global namespace (kapp-controller-packaging-global)
	// everywhere.
	Name, Namespace string
	// Image is the bundle's reference as the cluster reaches it.
	Image string
}

// Package is a package to install.
type Package struct {
	// Name and Namespace are the PackageInstall's; the namespace is made if
	// it is missing, and must be one in which the package is offered.
	Name, Namespace string
	// Package is the package's full name and Version the one that is wanted.
	Package, Version string
	// Values are the package's, as YAML; they are kept in a Secret.
	Values []byte
	// Rights are a ServiceAccount, NAME-installer in Namespace, and the roles and
	// bindings with which it installs the package, and first the namespaces in
	// which these stand; kapp-controller has no other rights for it.
	Rights []*unstructured.Unstructured
	// Overlays are ytt files that kapp-controller adds to the package's own,
	// each kept in a Secret: file name to content.
	Overlays map[string][]byte
}

// Repository offers a repository's packages, and waits until kapp-controller
// has taken them in.
func (c *Client) Repository(ctx context.Context, r Repository) error {
	if err := c.WaitServed(ctx, packagesAPI); err != nil {
		return err
	}
	if err := c.applyAll(ctx, object("v1", "Namespace", "", r.Namespace, nil)); err != nil {
		return err
	}
	o := repositoryObject(r)
	if err := c.waitDeletion(ctx, o); err != nil {
		return err
	}
	if err := mark(o); err != nil {
		return err
	}
	return c.applyAndWait(ctx, o, o)
}

func repositoryObject(r Repository) *unstructured.Unstructured {
	return object(packaging, "PackageRepository", r.Namespace, r.Name, map[string]any{
		"spec": map[string]any{"fetch": map[string]any{"imgpkgBundle": map[string]any{"image": r.Image}}},
	})
}

// Package installs a package, or changes the version or values of one that
// is there, and waits until kapp-controller has reconciled it. It is installed
// with the rights that it brings; while it changes, with those of before, too.
func (c *Client) Package(ctx context.Context, p Package) error {
	if err := c.waitDeletion(ctx, installObject(p)); err != nil {
		return err
	}
	if err := c.applyAll(ctx, object("v1", "Namespace", "", p.Namespace, nil)); err != nil {
		return err
	}
	if err := c.widen(ctx, p); err != nil {
		return err
	}
	secrets := []*unstructured.Unstructured{valuesSecret(p), overlaysSecret(p)}
	if err := c.applyAll(ctx, secrets...); err != nil {
		return err
	}
	o := installObject(p)
	if err := mark(o, secrets...); err != nil {
		return err
	}
	if err := c.applyAndWait(ctx, o, appObject(p.Namespace, p.Name)); err != nil {
		return err
	}
	if err := c.waitChildren(ctx, p.Namespace, p.Name); err != nil {
		return err
	}
	return c.narrow(ctx, p)
}

// RemovePackage deletes a PackageInstall and all that [Client.Package] put
// beside it, and waits until kapp-controller has removed what it installed.
// It is harmless when nothing is there.
func (c *Client) RemovePackage(ctx context.Context, p Package) error {
	if err := c.deleteAndWait(ctx, installObject(p)); err != nil {
		return err
	}
	for _, o := range []*unstructured.Unstructured{valuesSecret(p), overlaysSecret(p)} {
		if err := c.deleteOwn(ctx, o); err != nil {
			return err
		}
	}
	// Last: kapp-controller deletes with the account's rights.
	return c.revoke(ctx, p, nil)
}

// deleteOwn deletes an object if it was applied from here: one of the same name
// that somebody else made is theirs.
func (c *Client) deleteOwn(ctx context.Context, o *unstructured.Unstructured) error {
	current, err := c.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking for %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	ours := func(e metav1.ManagedFieldsEntry) bool { return e.Manager == fieldManager }
	if !slices.ContainsFunc(current.GetManagedFields(), ours) {
		return nil
	}
	return c.deleteAndWait(ctx, o)
}

func valuesSecret(p Package) *unstructured.Unstructured {
	return secret(p, "values", map[string][]byte{"values.yml": p.Values})
}

func overlaysSecret(p Package) *unstructured.Unstructured {
	return secret(p, "overlays", p.Overlays)
}

func secret(p Package, suffix string, files map[string][]byte) *unstructured.Unstructured {
	data := map[string]any{}
	for name, content := range files {
		data[name] = string(content)
	}
	return object("v1", "Secret", p.Namespace, p.Name+"-"+suffix, map[string]any{"stringData": data})
}

// appObject is the App by which kapp-controller does the work of a PackageInstall:
// it has the same name.
func appObject(namespace, name string) *unstructured.Unstructured {
	return object("kappctrl.k14s.io/v1alpha1", "App", namespace, name, nil)
}

func installObject(p Package) *unstructured.Unstructured {
	o := object(packaging, "PackageInstall", p.Namespace, p.Name, map[string]any{
		"spec": map[string]any{
			"serviceAccountName": accountName(p),
			"packageRef": map[string]any{
				"refName": p.Package,
				"versionSelection": map[string]any{
					"constraints": p.Version,
					// A pinned version is wanted even if it is a pre-release.
					"prereleases": map[string]any{},
				},
			},
		},
	})
	if len(p.Values) > 0 {
		values := []any{map[string]any{"secretRef": map[string]any{"name": p.Name + "-values"}}}
		_ = unstructured.SetNestedSlice(o.Object, values, "spec", "values")
	}
	if len(p.Overlays) > 0 {
		o.SetAnnotations(map[string]string{"ext.packaging.carvel.dev/ytt-paths-from-secret-name": p.Name + "-overlays"})
	}
	return o
}
