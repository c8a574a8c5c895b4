package lint

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkRoot refuses a container that may run as root. What an image's own
// configuration says does not count: the next image may say otherwise, and a
// namespace that enforces Kubernetes' restricted profile asks for the field.
// What must be root is an exception with its reason.
func checkRoot(s *subject) []Finding { return rootContainers(s.final) }

func rootContainers(objects []manifest.Object) []Finding {
	var findings []Finding
	eachContainer(objects, func(o manifest.Object, pod corev1.PodSpec, c corev1.Container) {
		if why := mayBeRoot(pod.SecurityContext, c.SecurityContext); why != "" {
			findings = append(findings, at(o, fmt.Sprintf("the container %s %s", c.Name, why),
				"set securityContext.runAsNonRoot to true by an overlay, or allow it in package.yml with the reason"))
		}
	})
	return findings
}

// mayBeRoot says why a container may run as root, or nothing. The container's
// own fields win over the pod's.
func mayBeRoot(pod *corev1.PodSecurityContext, own *corev1.SecurityContext) string {
	var user *int64
	var nonRoot *bool
	if pod != nil {
		user, nonRoot = pod.RunAsUser, pod.RunAsNonRoot
	}
	if own != nil {
		if own.RunAsUser != nil {
			user = own.RunAsUser
		}
		if own.RunAsNonRoot != nil {
			nonRoot = own.RunAsNonRoot
		}
		if own.Privileged != nil && *own.Privileged {
			return "is privileged, which is root on the node"
		}
	}
	switch {
	case user != nil && *user == 0:
		return "runs as root"
	case user == nil && (nonRoot == nil || !*nonRoot):
		return "may run as root, since nothing forbids it"
	}
	return ""
}

// checkMemory refuses a container without a limit of memory: one that grows
// takes its node down and the pods of others with it. Limits of CPU are not
// asked for, since they slow down what the node has time for.
func checkMemory(s *subject) []Finding { return unlimitedContainers(s.final) }

func unlimitedContainers(objects []manifest.Object) []Finding {
	var findings []Finding
	eachContainer(objects, func(o manifest.Object, _ corev1.PodSpec, c corev1.Container) {
		if _, limited := c.Resources.Limits[corev1.ResourceMemory]; !limited {
			findings = append(findings, at(o, fmt.Sprintf("the container %s has no memory limit", c.Name),
				"give it one by a value with a default, or allow it in package.yml with the reason"))
		}
	})
	return findings
}

// eachContainer visits the containers of all workloads, those that run before
// the others among them.
func eachContainer(objects []manifest.Object, visit func(manifest.Object, corev1.PodSpec, corev1.Container)) {
	for _, o := range objects {
		spec, ok := podSpec(o)
		if !ok {
			continue
		}
		for _, c := range append(spec.InitContainers, spec.Containers...) {
			visit(o, spec, c)
		}
	}
}

// podSpec is what a workload's pods are made of.
func podSpec(o manifest.Object) (spec corev1.PodSpec, ok bool) {
	path := map[string]string{
		"Pod": "spec", "Deployment.apps": "spec.template.spec", "StatefulSet.apps": "spec.template.spec", "DaemonSet.apps": "spec.template.spec",
		"ReplicaSet.apps": "spec.template.spec", "Job.batch": "spec.template.spec", "CronJob.batch": "spec.jobTemplate.spec.template.spec",
	}[strings.TrimSuffix(o.GetKind()+"."+o.GroupVersionKind().Group, ".")]
	if path == "" {
		return spec, false
	}
	var value any = o.Object
	for field := range strings.SplitSeq(path, ".") {
		fields, _ := value.(map[string]any)
		value = fields[field]
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return spec, false
	}
	return spec, decodePodSpec(fields, &spec) == nil
}

func decodePodSpec(fields map[string]any, into *corev1.PodSpec) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, into); err == nil {
		return nil
	}
	// Numbers of a test's or a user's YAML need not have the converter's types.
	text, err := yaml.Marshal(fields)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}
