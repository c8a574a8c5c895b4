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
	"traefik":                 traefikRoutes,
}

// moves has, for a package whose move to the next version concerns objects that
// users have made, a function that makes such objects, calls move, and looks at
// what has become of them.
var moves = map[string]func(t *testing.T, c *cluster, move func()){
	"dapr":                   daprMoves,
	"opentelemetry-operator": collectorsMove,
}
