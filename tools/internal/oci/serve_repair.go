package oci

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxManifest is the largest manifest that distribution takes.
const maxManifest = 4 << 20

// repairing removes the stored content that a request is about to send, where
// it is damaged, as after a power loss. distribution takes whatever lies under
// a digest for that content, so a damaged file would stay for ever.
//
// Only content that is sent is hashed, and clients ask before they send, so a
// registry that is whole reads nothing twice.
func repairing(dir string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			removeDamaged(dir, sent(r))
		}
		next.ServeHTTP(w, r)
	})
}

// sent is the digest of what a PUT stores, or empty where that is not known.
func sent(r *http.Request) string {
	if !strings.Contains(r.URL.Path, "/manifests/") {
		return r.URL.Query().Get("digest")
	}
	manifest, err := io.ReadAll(io.LimitReader(r.Body, maxManifest))
	// Whatever else there is to read, or the error, is the handler's.
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(manifest), r.Body), r.Body}
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(manifest)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func removeDamaged(dir, digest string) {
	hash, err := v1.NewHash(digest) // it allows nothing but hexadecimal digits
	if err != nil {
		return
	}
	file := filepath.Join(dir, "docker", "registry", "v2", "blobs", hash.Algorithm, hash.Hex[:2], hash.Hex, "data")
	stored, err := os.Open(file)
	if err != nil {
		return
	}
	defer stored.Close()
	if got, _, err := v1.SHA256(stored); err == nil && got != hash {
		_ = os.Remove(file)
	}
}
