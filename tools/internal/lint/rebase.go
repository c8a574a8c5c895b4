package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappres "carvel.dev/kapp/pkg/kapp/resources"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// asInstalled stands for whatever a cluster holds from an earlier install.
const asInstalled = "as first installed"

// checkRebase refuses a kapp rule that freezes data of a ConfigMap or Secret
// which the package itself sets. A rule that copies [data] from [existing, new]
// is meant for what a controller writes at run time; on an object that comes
// with data it keeps what the first install wrote, and no value, overlay or
// upgrade changes it any more, in silence.
//
// The rules are not read but run, by kapp's own code: every datum that comes
// out of a rule as the cluster's and went in as the package's is frozen.
func checkRebase(s *subject) []Finding { return frozen(s.final) }

func frozen(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, config := range objects {
		if !isKappConfig(config) {
			continue
		}
		parsed, err := kappconfig.NewConfigFromResource(kappres.NewResourceUnstructured(*config.Unstructured, kappres.ResourceType{}))
		if err != nil {
			findings = append(findings, at(config, "kapp does not understand its Config: "+err.Error(), "correct it"))
			continue
		}
		for i, rule := range parsed.RebaseRules {
			findings = append(findings, frozenBy(config, fmt.Sprintf("rebaseRules[%d]", i), rule, objects)...)
		}
	}
	return findings
}

func frozenBy(config manifest.Object, name string, rule kappconfig.RebaseRule, objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		if !holdsData(o) {
			continue
		}
		keys, err := frozenKeys(rule, o)
		if err != nil {
			return []Finding{at(config, fmt.Sprintf("kapp cannot apply %s: %v", name, err), "correct the rule")}
		}
		if len(keys) > 0 {
			findings = append(findings, at(config,
				fmt.Sprintf("%s keeps %s of %s as first installed, so no value, overlay or upgrade changes it", name, strings.Join(keys, ", "), o.ID()),
				"let the rule name only the keys that the cluster writes, or take them out of the package"))
		}
	}
	return findings
}

func holdsData(o manifest.Object) bool {
	return o.GroupVersionKind().Group == "" && (o.GetKind() == "ConfigMap" || o.GetKind() == "Secret")
}

// frozenKeys are the keys of o's data that the rule takes from the cluster. The
// library panics on a matcher or type that it does not know.
func frozenKeys(rule kappconfig.RebaseRule, o manifest.Object) (keys []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	existing := o.DeepCopy()
	eachDatum(existing.Object, func(data map[string]any, _, key string) { data[key] = asInstalled })
	fresh := kappres.NewResourceUnstructured(*o.DeepCopy(), kappres.ResourceType{})
	sources := map[kappres.FieldCopyModSource]kappres.Resource{
		kappres.FieldCopyModSourceNew:      kappres.NewResourceUnstructured(*o.DeepCopy(), kappres.ResourceType{}),
		kappres.FieldCopyModSourceExisting: kappres.NewResourceUnstructured(*existing, kappres.ResourceType{}),
	}
	for _, mod := range inTurn(rule.AsMods()) {
		if !mod.IsResourceMatching(fresh) {
			continue
		}
		if err := mod.ApplyFromMultiple(fresh, sources); err != nil {
			return nil, err
		}
	}
	eachDatum(fresh.DeepCopyRaw(), func(data map[string]any, field, key string) {
		if data[key] == asInstalled {
			keys = append(keys, fmt.Sprintf("%s[%q]", field, key))
		}
	})
	return keys, nil
}

func eachDatum(object map[string]any, visit func(data map[string]any, field, key string)) {
	for _, field := range []string{"binaryData", "data", "stringData"} {
		data, _ := object[field].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(data)) {
			visit(data, field, key)
		}
	}
}
