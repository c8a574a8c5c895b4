package oci

import (
	"io"
	"net/http"
)

// readOnly refuses everything that would change the registry, and says why.
// distribution's own maintenance mode does not: it answers such requests with
// an empty 405.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", "GET, HEAD")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"the registry is read-only; it was started with --read-only"}]}`+"\n")
	})
}
