package lint

import (
	"fmt"
	"strings"

	kappres "carvel.dev/kapp/pkg/kapp/resources"
	kappmisc "carvel.dev/kapp/pkg/kapp/resourcesmisc"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

const (
	groupAnnotation = "kapp.k14s.io/change-group"
	ruleAnnotation  = "kapp.k14s.io/change-rule"
	afterUpserting  = "upsert after upserting "
)

// checkAwaited refuses an order that waits for nothing: other objects come after
// a custom resource, and kapp takes that for done as soon as it is stored. A
// Certificate is there then, and its Secret is not. Only a wait rule tells kapp
// when such an object is ready.
func checkAwaited(s *subject) []Finding { return unawaited(s.final) }

func unawaited(objects []manifest.Object) []Finding {
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	awaited := awaitedGroups(objects)
	var findings []Finding
	for _, o := range objects {
		for _, group := range annotated(o, groupAnnotation) {
			if awaited[group] && isCustom(o) && kappmisc.NewCustomWaitingResource(asResource(o), config.WaitRules()) == nil {
				findings = append(findings, at(o, fmt.Sprintf("other objects are applied after %s, but kapp does not wait until this object of the group is ready", group),
					"add a waitRule to config/kapp.yml, or allow it in package.yml with the reason"))
			}
		}
	}
	return findings
}

// isCustom tells whether kapp takes an object for one of a CRD that it knows
// nothing of. Of kapp-controller's own it knows when they are ready.
func isCustom(o manifest.Object) bool {
	resource := asResource(o)
	return kappres.CustomResourceMatcher{}.Matches(resource) &&
		kappmisc.NewKappctrlK14sIoV1alpha1App(resource) == nil &&
		kappmisc.NewPackagingCarvelDevV1alpha1PackageInstall(resource) == nil &&
		kappmisc.NewPackagingCarvelDevV1alpha1PackageRepo(resource) == nil
}

// awaitedGroups are the change groups that some object is to be applied after.
func awaitedGroups(objects []manifest.Object) map[string]bool {
	groups := map[string]bool{}
	for _, o := range objects {
		for _, rule := range annotated(o, ruleAnnotation) {
			if group, ok := strings.CutPrefix(rule, afterUpserting); ok {
				groups[strings.TrimSpace(group)] = true
			}
		}
	}
	return groups
}

// annotated are the values of an annotation that may be there several times,
// with a suffix each.
func annotated(o manifest.Object, key string) []string {
	var values []string
	for name, value := range o.GetAnnotations() {
		if name == key || strings.HasPrefix(name, key+".") {
			values = append(values, value)
		}
	}
	return values
}
