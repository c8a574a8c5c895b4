package test

import "testing"

// works has, for each published package, what it is for: see the package
// comment. A package without a line here fails TestEveryPackageHasItsWork.
var works = map[string]func(t *testing.T, c *cluster){
	"cert-manager":            certManagerIssues,
	"dapr":                    daprWorks,
	"flux":                    fluxDelivers,
	"keda":                    kedaWorks,
	"knative-eventing":        knativeDelivers,
	"knative-serving":         knativeServes,
	"opentelemetry-collector": collectorWorks,
	"opentelemetry-operator":  operatorWorks,
	"platform":                platformInstalls,
	"traefik":                 traefikRoutes,
}

// values has, for a package that is not tested with the development environment's and
// production's NetworkPolicies, what it is installed with.
var values = map[string]func(t *testing.T) map[string]any{
	"platform": func(t *testing.T) map[string]any { return platformValues(t, platformPart...) },
}

// moves has, for a package whose move to the next version concerns objects that
// users have made, a function that makes such objects, calls move, and looks at
// what has become of them.
var moves = map[string]func(t *testing.T, c *cluster, move func()){
	"dapr":                   daprMoves,
	"opentelemetry-operator": collectorsMove,
}
