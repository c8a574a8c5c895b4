package upstream

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGuardsKeepTheUsersOwnSettings(t *testing.T) {
	t.Setenv("GODEBUG", "")
	t.Setenv("GIT_CONFIG_COUNT", "")
	require.Contains(t, guards(), "GODEBUG=tarinsecurepath=0,zipinsecurepath=0")
	require.Contains(t, guards(), "GIT_CONFIG_KEY_0=core.hooksPath")
	require.Contains(t, guards(), "GIT_CONFIG_COUNT=1")
	t.Setenv("GODEBUG", "netdns=go")
	t.Setenv("GIT_CONFIG_COUNT", "2")
	require.Contains(t, guards(), "GODEBUG=netdns=go,tarinsecurepath=0,zipinsecurepath=0")
	require.Contains(t, guards(), "GIT_CONFIG_KEY_2=core.hooksPath")
	require.Contains(t, guards(), "GIT_CONFIG_COUNT=3")
}
