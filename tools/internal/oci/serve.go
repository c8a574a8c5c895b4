package oci

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"

	// The one storage driver that is wanted; each registers itself.
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// ServeOptions say where a registry listens and keeps its content.
type ServeOptions struct {
	// Addr is HOST:PORT; port 0 takes a free one.
	Addr string
	// Dir keeps the content and is made where it is missing. Two registries
	// may serve one folder.
	Dir string
	// Ready is called once, with the real address, when requests are
	// answered; nil is allowed.
	Ready func(addr string)
	// Log receives errors, one line each; nil drops them.
	Log io.Writer
	// Delete allows clients to delete.
	Delete bool
	// ReadOnly refuses all writes with the status 405 and the error DENIED.
	ReadOnly bool
}

const (
	// drainTime is how long requests may go on once the registry is to end.
	drainTime         = 5 * time.Second
	readHeaderTimeout = 10 * time.Second
)

// Serve is a registry over plain HTTP until ctx ends, which is no error:
// requests under way get a few seconds to finish. Content is safe whenever
// the process dies, since every blob and link is renamed into place.
//
// It runs distribution's handlers and not its Registry, which would start
// tracing, install signal handlers and register health checks that allow one
// registry a process.
func Serve(ctx context.Context, o ServeOptions) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("finding the registry's folder %s: %w", o.Dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the registry's folder: %w", err)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("listening for the registry (is another one running there?): %w", err)
	}
	logTo(o.Log)
	app := handlers.NewApp(context.WithoutCancel(ctx), o.configuration(dir))
	unused := &unusedConns{open: map[net.Conn]struct{}{}}
	server := &http.Server{
		Handler:           o.handler(dir, app),
		ConnState:         unused.note,
		ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog:          log.New(o.Log, "registry: ", 0),
	}
	stop := func() error { return errors.Join(drained(ctx, server, listener, unused), app.Shutdown()) }
	return serveUntil(ctx, server, listener, o.Ready, stop)
}

// handler puts in front of the registry what distribution lacks.
func (o ServeOptions) handler(dir string, app http.Handler) http.Handler {
	if o.ReadOnly {
		return readOnly(app)
	}
	return repairing(dir, app)
}

func serveUntil(ctx context.Context, server *http.Server, listener net.Listener, ready func(string), stop func() error) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if ready != nil {
		ready(listener.Addr().String())
	}
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serving the registry: %w", err), stop())
	case <-ctx.Done():
		return stop()
	}
}

func (o ServeOptions) configuration(dir string) *configuration.Configuration {
	// Sizes are not cached: they must be those of the files, so that damage is
	// seen, and its repair.
	c := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": dir},
			"delete":     configuration.Parameters{"enabled": o.Delete},
			"maintenance": configuration.Parameters{
				"readonly": map[any]any{"enabled": o.ReadOnly},
			},
		},
	}
	c.Log.AccessLog.Disabled = true
	// Clients reach it by several names: from the host, nodes and pods.
	c.HTTP.RelativeURLs = true
	// It signs upload sessions, which do not outlive the process.
	c.HTTP.Secret = rand.Text()
	return c
}
