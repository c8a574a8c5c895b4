package lint

import (
	"slices"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappmisc "carvel.dev/kapp/pkg/kapp/resourcesmisc"

	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// checkRestless refuses wait rules that let other changes go on before their
// own object is done (unblockChanges). Until it is, kapp v0.66 asks for the state
// of everything again and again without --wait-check-interval between: to its
// WaitForAny (pkg/kapp/clusterapply/waiting_changes.go) such a change is news each
// time. Dapr's install asked 200 times in 9 s, on a node that had pods to start.
//
// A rule in Starlark is run, by kapp's own code, on the objects as they are applied.
func checkRestless(s *subject) []Finding { return restless(s.final) }

func restless(objects []manifest.Object) []Finding {
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	var findings []Finding
	for _, o := range objects {
		if unblocks(o, config.WaitRules()) {
			findings = append(findings, at(o, "kapp polls it without a pause, because a wait rule unblocks other changes before it is done",
				"take unblockChanges out of the waitRules of config/kapp.yml, and the change rule for whose sake it is there"))
		}
	}
	return findings
}

func unblocks(o manifest.Object, rules []kappconfig.WaitRule) bool {
	resource := asResource(o)
	i := slices.IndexFunc(rules, func(rule kappconfig.WaitRule) bool { return rule.ResourceMatcher().Matches(resource) })
	if i < 0 {
		return false
	}
	if slices.ContainsFunc(rules[i].ConditionMatchers, func(c kappconfig.WaitRuleConditionMatcher) bool { return c.UnblockChanges }) {
		return true
	}
	unblocks := false
	ytt.Alone(func() { // kapp runs a rule in Starlark by it
		unblocks = kappmisc.NewCustomWaitingResource(resource, rules).IsDoneApplying().UnblockChanges
	})
	return unblocks
}
