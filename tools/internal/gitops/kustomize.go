package gitops

import (
	"path"
	"slices"

	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/packaging/v1alpha1"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Names in the folder.
const (
	readmeFile        = "README.md"
	fluxFile          = "flux.yaml"
	kustomizationFile = "kustomization.yaml"
	prerequisitesDir  = "prerequisites"
	installDir        = "install"
	valuesFile        = "values.yml"
	namesFile         = "names.yaml"
)

// folders are those in which [Write] writes, below the folder itself.
func folders() []string { return []string{".", prerequisitesDir, installDir} }

// kustomize are the files that tell kustomize what is in the folders.
func (p *plan) kustomize() map[string]fields {
	return map[string]fields{
		kustomizationFile: kustomization(fields{"resources": []string{fluxFile}}),
		path.Join(prerequisitesDir, kustomizationFile): kustomization(fields{
			"resources": append([]string{"namespaces.yaml", "rights.yaml", "repository.yaml"}, p.options.Encrypted...),
		}),
		// A Secret with other content has another name: so the PackageInstall changes
		// with the values, and Flux waits for what that does.
		path.Join(installDir, kustomizationFile): kustomization(fields{
			"resources":       []string{"install.yaml"},
			"secretGenerator": []fields{{"name": p.valuesSecret(), "namespace": p.namespace, "files": []string{valuesFile}}},
			"configurations":  []string{namesFile},
		}),
		path.Join(installDir, namesFile): {"nameReference": []fields{{
			"kind": "Secret", "version": "v1",
			"fieldSpecs": []fields{{"group": packaging.SchemeGroupVersion.Group, "kind": "PackageInstall", "path": "spec/values/secretRef/name"}},
		}}},
	}
}

func kustomization(content fields) fields {
	content["apiVersion"], content["kind"] = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	return content
}

// kustomizations are Flux's: first what the platform stands on, then the
// platform.
func (p *plan) kustomizations() []manifest.Object {
	first, second := p.name+"-"+prerequisitesDir, p.name
	// The rights stay when the folder goes, until they are deleted by hand: Flux
	// knows no order in which Kustomizations are deleted.
	prerequisites := fields{
		"deletionPolicy": "Orphan",
		"timeout":        "5m",
		"healthChecks":   []any{p.check(packaging.SchemeGroupVersion.String(), "PackageRepository", p.name)},
	}
	if len(p.options.Encrypted) > 0 || p.options.Flux.SOPSSecret != "" {
		prerequisites["decryption"] = p.options.Flux.decryption()
	}
	if len(p.options.Flux.DependsOn) > 0 {
		prerequisites["dependsOn"] = named(p.options.Flux.DependsOn...)
	}
	install := fields{
		"deletionPolicy": "WaitForTermination",
		"timeout":        "20m",
		"dependsOn":      named(first),
		"healthChecks":   p.installChecks(),
	}
	return []manifest.Object{p.kustomization(first, prerequisitesDir, prerequisites), p.kustomization(second, installDir, install)}
}

// kustomization is one of Flux's, of a folder.
func (p *plan) kustomization(name, dir string, spec fields) manifest.Object {
	o := p.options.Flux
	spec["sourceRef"] = fields{"kind": "GitRepository", "name": o.Source}
	spec["path"] = "./" + path.Join(o.Path, dir)
	spec["interval"] = "10m"
	spec["retryInterval"] = "1m"
	spec["prune"] = true
	spec["healthCheckExprs"] = healthCheckExprs(spec["healthChecks"].([]any))
	if o.ServiceAccount != "" {
		spec["serviceAccountName"] = o.ServiceAccount
	}
	return object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", o.Namespace, name, spec)
}

// installChecks are those of the platform and of what it installs. A PackageInstall
// repeats at first what its App said before the change, which kapp believes, too: so
// the platform's own may say that it is done before the packages are.
//
// The packages come first. Flux looks at one object after the other, every five
// seconds, and is done once each has been ready when it was looked at last: looked at
// before its packages, the platform could be done while they were still as they had been
// five seconds ago, before it changed them.
func (p *plan) installChecks() (checks []any) {
	for _, name := range append(slices.Clone(p.packages), p.name) {
		checks = append(checks,
			p.check(packaging.SchemeGroupVersion.String(), "PackageInstall", name),
			p.check("kappctrl.k14s.io/v1alpha1", "App", name),
		)
	}
	return checks
}

// check is an object that Flux waits for.
func (p *plan) check(apiVersion, kind, name string) fields {
	return fields{"apiVersion": apiVersion, "kind": kind, "namespace": p.namespace, "name": name}
}

// healthCheckExprs say, of each kind, when kapp-controller is done with an object: to
// Flux's own rules one that failed, or that nobody has looked at yet, is ready.
func healthCheckExprs(checks []any) []any {
	const seen = "status.observedGeneration == metadata.generation && "
	var exprs []any
	known := map[any]bool{}
	for _, check := range checks {
		of := check.(fields)
		if known[of["kind"]] {
			continue
		}
		known[of["kind"]] = true
		exprs = append(exprs, fields{
			"apiVersion": of["apiVersion"], "kind": of["kind"],
			"failed":  seen + "status.conditions.exists(c, c.type == 'ReconcileFailed' && c.status == 'True')",
			"current": seen + "status.conditions.exists(c, c.type == 'ReconcileSucceeded' && c.status == 'True')",
		})
	}
	return exprs
}

func (f Flux) decryption() fields {
	decryption := fields{"provider": "sops"}
	if f.SOPSSecret != "" {
		decryption["secretRef"] = fields{"name": f.SOPSSecret}
	}
	return decryption
}

func named(names ...string) []any {
	var list []any
	for _, name := range names {
		list = append(list, fields{"name": name})
	}
	return list
}
