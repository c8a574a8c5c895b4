package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// drained ends the server when what is under way is done, or takes too long.
func drained(ctx context.Context, server *http.Server, listener net.Listener, unused *unusedConns) error {
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("ending the registry: %w", err)
	}
	unused.close()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil && !errors.Is(err, net.ErrClosed) {
		// Whoever is still sending begins again with the next registry.
		return server.Close()
	}
	return nil
}

// unusedConns are connections that have not sent anything. Clients open them
// ahead of need, and a server would wait for their first request for seconds
// before it ends.
type unusedConns struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func (u *unusedConns) note(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state == http.StateNew {
		u.open[conn] = struct{}{}
	} else {
		delete(u.open, conn)
	}
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for conn := range u.open {
		_ = conn.Close()
	}
}
