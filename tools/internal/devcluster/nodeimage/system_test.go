package nodeimage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDebootstrapVerifies(t *testing.T) {
	args := debootstrapCommand(t.Context(), "tree", "http://deb.test/debian").Args
	require.Contains(t, args, "--force-check-gpg")
	require.Contains(t, args, "--keyring="+Keyring)
}

func TestSignatureRemedy(t *testing.T) {
	for said, want := range map[string]bool{
		"E: Release signed by unknown key (key id 1)":                        true,
		"E: Invalid Release signature (key id 1)":                            true,
		"E: Error executing gpgv to check Release signature":                 true,
		"E: Failed getting release signature file x/Release.gpg":             false,
		"E: specified keyring file (" + Keyring + ") not found":              true,
		"E: Failed getting release file http://deb.test/dists/x/Release":     false,
		"E: Couldn't download packages: curl. No space left on device: said": false,
	} {
		remedy := signatureRemedy(said)
		require.Equal(t, want, remedy != "", said)
	}
}

// TestDebootstrapRefusesUnsigned: a mirror that nobody signed installs nothing.
func TestDebootstrapRefusesUnsigned(t *testing.T) {
	if _, err := exec.LookPath("debootstrap"); err != nil || os.Geteuid() != 0 {
		t.Skip("SKIPPED: the test requires debootstrap and root")
	}
	if _, err := os.Stat(Keyring); err != nil {
		t.Skip("SKIPPED: the test requires the package debian-archive-keyring")
	}
	if err := exec.CommandContext(t.Context(), "unshare", "--mount", "true").Run(); err != nil {
		t.Skip("SKIPPED: the test requires a mount namespace")
	}
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch filepath.Base(r.URL.Path) {
		case "Release":
			fmt.Fprintf(w, "Origin: Debian\nSuite: %s\nCodename: %s\nComponents: main\n", suite, suite)
		case "Release.gpg":
			fmt.Fprintln(w, "no signature")
		default:
			http.NotFound(w, r)
		}
	}))
	defer mirror.Close()
	dir := t.TempDir()
	b := &build{mirror: mirror.URL + "/debian"}
	err := b.debootstrap(t.Context(), dir)
	require.ErrorContains(t, err, "Release signature")
	require.ErrorContains(t, err, "install the newest debian-archive-keyring")
	require.NoFileExists(t, filepath.Join(dir, "rootfs.tar"))
}
