package image

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// DefaultUser runs an image that names no user: "nonroot" of the base.
const DefaultUser = "65532:65532"

const (
	searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	caFile     = "etc/ssl/certs/ca-certificates.crt"
	zoneDir    = "usr/share/zoneinfo"

	// uid 1000 is what many upstream manifests set as runAsUser; group 0 is
	// theirs where files of the image are to be writable.
	passwd = `root:x:0:0:root:/root:/sbin/nologin
user:x:1000:0:user:/home/user:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
`
	group = `root:x:0:
user:x:1000:
nonroot:x:65532:
nobody:x:65534:
`
	// Names in /etc/hosts win over DNS, as everywhere.
	nsswitch = "hosts: files dns\n"
)

// base is the lowest layer of every image, the same for all platforms.
type base struct {
	layer v1.Layer
	// digest is the layer's, "sha256:…".
	digest string
	// roots are the CA certificates as PEM.
	roots []byte
}

// newBase makes the base layer: the certificates of the Mozilla programme as
// golang.org/x/crypto/x509roots carries them, and the time zones of the
// toolchain in goroot, unpacked, since not only Go programs read them.
func newBase(goroot string) (base, error) {
	zones, err := timeZones(filepath.Join(goroot, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return base{}, fmt.Errorf("reading the time zones of the Go toolchain: %w", err)
	}
	roots, err := caRoots()
	if err != nil {
		return base{}, err
	}
	layer, err := newLayer(append(zones, skeleton(roots)...))
	if err != nil {
		return base{}, err
	}
	digest, err := layer.Digest()
	if err != nil {
		return base{}, fmt.Errorf("hashing the base layer: %w", err)
	}
	return base{layer: layer, digest: digest.String(), roots: roots}, nil
}

func skeleton(roots []byte) []entry {
	nonroot := folder("home/nonroot", 0o700)
	nonroot.uid, nonroot.gid = 65532, 65532
	user := folder("home/user", 0o770)
	user.uid = 1000
	return []entry{
		folder("tmp", 0o1777), folder("root", 0o700), nonroot, user,
		file("etc/passwd", []byte(passwd)), file("etc/group", []byte(group)),
		file("etc/nsswitch.conf", []byte(nsswitch)), file(caFile, roots),
	}
}

// caRoots leaves out the roots that are trusted only under constraints (issued
// before a date): a PEM file cannot express those.
func caRoots() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, fmt.Errorf("reading a CA certificate of golang.org/x/crypto/x509roots: %w", err)
		}
		fmt.Fprintf(&out, "# %s\n", cert.Subject)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, fmt.Errorf("writing the CA certificate of %s: %w", cert.Subject, err)
		}
	}
	return out.Bytes(), nil
}

func timeZones(archive string) ([]entry, error) {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var zones []entry
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		content, err := r.Open(f.Name)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(content)
		if err := errors.Join(err, content.Close()); err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		zones = append(zones, file(zoneDir+"/"+f.Name, data))
	}
	return zones, nil
}

// emptyImage is an OCI image for one platform with nothing in it.
func emptyImage(p v1.Platform) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return mutate.ConfigFile(img, &v1.ConfigFile{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Env: []string{"PATH=" + searchPath}, WorkingDir: "/"},
	})
}
