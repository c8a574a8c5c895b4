package test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// statusRow is the part of `strake status -o json` that tests read.
type statusRow struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Ready   bool   `json:"ready"`
	Reason  string `json:"reason"`
}

// status runs `strake status` and returns its exit code.
func status(t *testing.T, names ...string) (rows []statusRow, code int) {
	t.Helper()
	args := []string{"status", "--kubeconfig", shared.kubeconfig, "--namespace", installNamespace, "-o", "json"}
	out, err := strake(t.Context(), "", append(args, names...)...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
	return rows, code
}

// statusShows sees that what is installed is ready, in the version that runs.
func (c *cluster) statusShows(t *testing.T, installed []installedAs) {
	rows, code := status(t, namesOf(installed)...)
	require.Len(t, rows, len(installed))
	for _, i := range installed {
		for _, row := range rows {
			if row.Name == i.Name {
				require.True(t, row.Ready, "%+v", row)
				require.Equal(t, i.Version, row.Version)
			}
		}
	}
	require.Zero(t, code)
}
