package lint

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkCRDs refuses a CRD that no longer has the version in which an older
// version of the package stores its objects: the API server refuses the update
// for as long as status.storedVersions names that version, so the upgrade
// fails on every cluster that has such objects. A CRD that is gone altogether
// takes the objects with it. An upgrade that migrates them first is an
// exception, and its reason says how.
func checkCRDs(s *subject) []Finding {
	var findings []Finding
	for _, older := range s.older {
		findings = append(findings, droppedVersions(older.version.Version, older.final, s.final)...)
	}
	return findings
}

func droppedVersions(from string, older, newer []manifest.Object) []Finding {
	var findings []Finding
	for _, before := range older {
		if !isCRD(before) {
			continue
		}
		i := slices.IndexFunc(newer, func(o manifest.Object) bool { return isCRD(o) && o.GetName() == before.GetName() })
		if i < 0 {
			f := at(before, fmt.Sprintf("%s has this CRD and this version does not, so an upgrade deletes all objects of it", from),
				"keep the CRD, or allow it in version.yml with the reason")
			f.File, f.Line = "", 0 // of the other version's sources
			findings = append(findings, f)
			continue
		}
		stored := storage(before)
		if has := versionNames(newer[i]); !slices.Contains(has, stored) {
			findings = append(findings, at(newer[i],
				fmt.Sprintf("%s stores objects as %s, which is not among this version's %s, so the API server refuses the upgrade where there are any", from, stored, strings.Join(has, ", ")),
				"keep the version until the stored objects are migrated; or let kapp refuse before it changes anything, by /_common/stored-versions.star, and allow it in version.yml with what migrates them"))
		}
	}
	return findings
}

func isCRD(o manifest.Object) bool {
	return o.GetKind() == "CustomResourceDefinition" && o.GroupVersionKind().Group == "apiextensions.k8s.io"
}

func crdVersions(o manifest.Object) []map[string]any {
	list, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
	var versions []map[string]any
	for _, item := range list {
		if version, ok := item.(map[string]any); ok {
			versions = append(versions, version)
		}
	}
	return versions
}

func versionNames(o manifest.Object) []string {
	var names []string
	for _, version := range crdVersions(o) {
		name, _ := version["name"].(string)
		names = append(names, name)
	}
	return names
}

// storage is the version in which the API server stores objects.
func storage(o manifest.Object) string {
	for _, version := range crdVersions(o) {
		if version["storage"] == true {
			name, _ := version["name"].(string)
			return name
		}
	}
	return ""
}
