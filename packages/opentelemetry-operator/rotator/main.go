// Program rotator makes the certificate of a webhook server, renews it in time,
// and tells the API server of the CA that signed it, wherever that is written:
// webhook configurations, conversion webhooks of CRDs, APIServices. It knows
// nothing of what it serves; all names are flags.
//
// It is a program rather than open-policy-agent/cert-controller's controller
// because that one holds every CRD of the cluster in memory and wants the right
// to change any. This one watches its few objects by name. Certificates are
// made and judged by that module's functions.
//
// Start reading at rotator.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, context.Canceled) {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	rotator   Rotator
	listen    string
	logLevel  slog.Level
	logFormat string
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(o.handler()))
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	if o.rotator.Secrets, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if o.rotator.Objects, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	return serve(ctx, o)
}

// serve answers probes while the rotator runs.
func serve(ctx context.Context, o *options) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !o.rotator.Ready() {
			http.Error(w, "the CA is not yet everywhere", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: o.listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServe() }()
	go func() { failed <- o.rotator.Run(ctx) }()
	err := <-failed
	return errors.Join(err, server.Close())
}

func (o *options) handler() slog.Handler {
	handler := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.NewJSONHandler(os.Stderr, handler)
	}
	return slog.NewTextHandler(os.Stderr, handler)
}

func parse(args []string) (*options, error) {
	o := &options{}
	r := &o.rotator
	flags := flag.NewFlagSet("rotator", flag.ContinueOnError)
	flags.Func("secret", "NAMESPACE/NAME of the secret that holds the certificate; it must exist", func(text string) error {
		var found bool
		r.Namespace, r.Secret, found = strings.Cut(text, "/")
		if !found || r.Namespace == "" || r.Secret == "" {
			return errors.New("not NAMESPACE/NAME")
		}
		return nil
	})
	flags.Func("dns-name", "a name that the certificate is for (repeatable)", func(text string) error {
		r.Names = append(r.Names, text)
		return nil
	})
	for _, k := range kinds {
		flags.Func(k.flag, "name of "+k.article+" that is told the CA (repeatable)", func(text string) error {
			r.Targets = append(r.Targets, Target{kind: k, name: text})
			return nil
		})
	}
	flags.DurationVar(&r.Validity, "validity", 365*24*time.Hour, "how long a certificate is valid")
	flags.DurationVar(&r.CAValidity, "ca-validity", 10*365*24*time.Hour, "how long a CA is valid")
	flags.DurationVar(&r.RenewBefore, "renew-before", 0, "how long before the end either is renewed (default a quarter of -validity)")
	flags.DurationVar(&r.Interval, "interval", 0, "time between two looks at the certificate (default an hour, or half of -renew-before if that is less)")
	flags.StringVar(&o.listen, "listen", ":8081", "address of /healthz and /readyz")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.StringVar(&o.logFormat, "log-format", "json", "json or text")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if r.RenewBefore == 0 {
		r.RenewBefore = r.Validity / 4
	}
	if r.Interval == 0 {
		r.Interval = min(time.Hour, r.RenewBefore/2)
	}
	return o, o.check()
}

func (o *options) check() error {
	r := &o.rotator
	switch {
	case r.Secret == "":
		return errors.New("no -secret NAMESPACE/NAME")
	case len(r.Names) == 0:
		return errors.New("no -dns-name: the certificate would be for nobody")
	case r.RenewBefore >= r.Validity || r.RenewBefore >= r.CAValidity:
		return errors.New("-renew-before must be shorter than -validity and -ca-validity, or every certificate would be renewed at once")
	case o.logFormat != "json" && o.logFormat != "text":
		return fmt.Errorf("-log-format %q is neither json nor text", o.logFormat)
	}
	return nil
}
