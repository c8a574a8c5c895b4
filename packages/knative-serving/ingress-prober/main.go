// Program ingress-prober makes Ready mean routable for Knative Services behind Traefik.
//
// Traefik marks a Knative Ingress ready as soon as it has read it. Knative's contract asks
// for more: every proxy must already answer with the new routes. This program serves an
// ingress class of its own. For each Ingress of that class, it creates a child Ingress of
// Traefik's class with the same routes and a probe, and marks the parent ready once every
// Traefik pod answers the probe with the hash of the parent's spec. Creating the child,
// probing and leader election are Knative's own libraries, as in its other ingresses; the
// program only adds what Traefik lacks.
//
// It is not net-kourier, net-contour or net-gateway-api because these configure other
// proxies, and the Gateway API of Traefik has no probe of Knative's contract either.
//
// Start reading at prober.go. handover.go moves running installs from Traefik's class to
// this one and back. targets.go finds the pods to probe.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/metadata"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/signals"
)

// component is the name in logs, leases and config-logging.
const component = "ingress-prober"

// options are the flags.
type options struct {
	class     string
	isDefault bool
	traefik   traefik
}

// traefik is where Traefik's pods are, and how they are reached.
type traefik struct {
	namespace string
	// public and private are Services of the namespace.
	public, private string
	// http and https are names of ports of the public Service.
	http, https names
}

// names is a flag that can be repeated.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

func (n *names) Set(name string) error {
	*n = append(*n, name)
	return nil
}

func main() {
	o := register(flag.CommandLine)
	// This parses the flags, those of Knative's libraries included.
	config := injection.ParseAndGetRESTConfigOrDie()
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// A change of the ingress class touches every Ingress at once. client-go's default of
	// 5 requests per second would take minutes for some hundred of them.
	config.QPS, config.Burst = 50, 100

	h := &handover{class: o.class, isDefault: o.isDefault}
	p := &prober{class: o.class, traefik: o.traefik}
	ctx := injection.AddReadiness(signals.NewContext(), h.serveReadiness)
	sharedmain.MainWithConfig(ctx, component, config, controllers(p, h, metadata.NewForConfigOrDie(config))...)
}

func register(flags *flag.FlagSet) *options {
	o := &options{}
	flags.StringVar(&o.class, "ingress-class", "", "ingress class that the program serves")
	flags.BoolVar(&o.isDefault, "default", true, "the ingress class is the default of Knative, or is about to be; otherwise, Traefik's own is")
	flags.StringVar(&o.traefik.namespace, "traefik-namespace", "traefik", "namespace of Traefik")
	flags.StringVar(&o.traefik.public, "public-service", "traefik", "Service of Traefik for requests from outside the cluster")
	flags.StringVar(&o.traefik.private, "private-service", "traefik-private", "Service of Traefik for requests from inside the cluster")
	flags.Var(&o.traefik.http, "http-port", "name of a port of the public Service to probe with HTTP (repeatable)")
	flags.Var(&o.traefik.https, "https-port", "name of a port of the public Service to probe with HTTPS (repeatable)")
	return o
}

func (o *options) check() error {
	switch {
	case o.class == "" || o.class == traefikClass:
		return fmt.Errorf("-ingress-class is %q: set a class of its own, since Traefik serves %s itself", o.class, traefikClass)
	case o.traefik.namespace == "" || o.traefik.public == "" || o.traefik.private == "":
		return errors.New("-traefik-namespace, -public-service and -private-service must not be empty")
	case len(o.traefik.http)+len(o.traefik.https) == 0:
		return errors.New("no -http-port and no -https-port: without a port to probe, no public Ingress would become ready")
	}
	return nil
}
