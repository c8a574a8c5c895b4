package lint

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// What a liveness probe grants at least, in seconds. On a node that is short of time,
// as one is on which a platform moves to other values, programs that live were ended by
// probes of 1 second and 15 in all.
const (
	patientAnswer  = 5
	patientInTotal = 60
)

// checkLiveness refuses a liveness probe that takes a busy node for a dead program:
// the restart makes the node busier, and what waited for the program fails.
func checkLiveness(s *subject) []Finding { return impatientContainers(s.final) }

func impatientContainers(objects []manifest.Object) []Finding {
	var findings []Finding
	eachContainer(objects, func(o manifest.Object, _ corev1.PodSpec, c corev1.Container) {
		if c.LivenessProbe == nil {
			return
		}
		answer, total := patience(c.LivenessProbe)
		if answer < patientAnswer || total < patientInTotal {
			findings = append(findings, at(o, fmt.Sprintf("the liveness probe of the container %s waits %d s for a response and restarts the container after %d s without one", c.Name, answer, total),
				fmt.Sprintf("let it wait %d s and %d s by liveness of packages/_common/overlays/probes.lib.yml", patientAnswer, patientInTotal)))
		}
	})
	return findings
}

// patience is how long a probe waits for one answer, and for any at all, in seconds,
// with the defaults of the API server.
func patience(p *corev1.Probe) (answer, total int32) {
	orDefault := func(value, instead int32) int32 {
		if value == 0 {
			return instead
		}
		return value
	}
	return orDefault(p.TimeoutSeconds, 1), orDefault(p.PeriodSeconds, 10) * orDefault(p.FailureThreshold, 3)
}
