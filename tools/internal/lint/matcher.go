package lint

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

const (
	matcherKey = "apiVersionKindMatcher"
	// configLabel marks a ConfigMap whose config.yml kapp reads as a Config.
	configLabel = "kapp.k14s.io/config"
)

// checkMatchers refuses a name, or any other unknown key, in an
// apiVersionKindMatcher of a kapp Config. kapp reads apiVersion and kind alone
// and says nothing of the rest, so a rule that was meant for one object hits
// every object of its kind, in silence.
//
// The package's own files are read as they are, parts that the default values
// switch off included; rendered objects are looked at for what comes from
// upstream or is put together by ytt.
func checkMatchers(s *subject) []Finding {
	if findings := matchersInFiles(s.files); len(findings) > 0 {
		return findings
	}
	return matchersInObjects(slices.Concat(s.upstream, s.final))
}

// matchersInFiles reads YAML files by their path. One that is no plain YAML
// (ytt allows text templates) is left to what it renders to.
func matchersInFiles(files map[string][]byte) []Finding {
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if ext := path.Ext(name); ext != ".yml" && ext != ".yaml" {
			continue
		}
		for _, document := range documents(files[name]) {
			for _, fault := range matcherFaults(document) {
				fault.File = name
				findings = append(findings, fault)
			}
		}
	}
	return findings
}

func documents(data []byte) []*yaml.Node {
	var list []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return list
		}
		list = append(list, &document)
	}
}

func matchersInObjects(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		for _, document := range kappConfigs(o) {
			for _, fault := range matcherFaults(document) {
				findings = append(findings, at(o, fault.Message, fault.Remedy))
			}
		}
	}
	return findings
}

// kappConfigs are the kapp Configs that an object is or holds.
func kappConfigs(o manifest.Object) []*yaml.Node {
	if isKappConfig(o) {
		var document yaml.Node
		if err := document.Encode(o.Object); err != nil {
			return nil
		}
		return []*yaml.Node{&document}
	}
	if _, ok := o.GetLabels()[configLabel]; !ok || o.GetKind() != "ConfigMap" {
		return nil
	}
	data, _ := o.Object["data"].(map[string]any)
	text, _ := data["config.yml"].(string)
	return documents([]byte(text))
}

func isKappConfig(o manifest.Object) bool {
	return o.GetKind() == "Config" && o.GroupVersionKind().Group == "kapp.k14s.io"
}

// matcherFaults finds every matcher below n. Of the findings only line,
// message and remedy are set.
func matcherFaults(n *yaml.Node) []Finding {
	var findings []Finding
	for i, item := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == matcherKey {
			findings = append(findings, unknownKeys(item)...)
		}
		findings = append(findings, matcherFaults(item)...)
	}
	return findings
}

func unknownKeys(matcher *yaml.Node) []Finding {
	var findings []Finding
	if matcher.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(matcher.Content); i += 2 {
		key := matcher.Content[i]
		if key.Value == "apiVersion" || key.Value == "kind" {
			continue
		}
		findings = append(findings, Finding{
			Line:    key.Line,
			Message: fmt.Sprintf("kapp ignores %q in %s, so the rule applies to every object of the kind", key.Value, matcherKey),
			Remedy:  "use kindNamespaceNameMatcher to match one object",
		})
	}
	return findings
}
