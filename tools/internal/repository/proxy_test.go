package repository_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http/httpproxy"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// apiServers are addresses of the API server that no list of address ranges contains.
var apiServers = []string{"203.0.113.7", "2001:db8::7"}

// nodeAddress is the value of every variable that a variable refers to.
const nodeAddress = "198.51.100.9"

// TestProxyIsNotUsedInTheCluster renders the case "proxy" of every package that has a value
// noProxy, and asks Go's own rules which requests would go to the proxy. Within the
// cluster, none may, whatever the user lists: programs would not reach the API server or
// one another.
func TestProxyIsNotUsedInTheCluster(t *testing.T) {
	c := checkout(t)
	for _, p := range c.Packages {
		schema, err := os.ReadFile(filepath.Join(p.Dir, "config", "schema.yml"))
		require.NoError(t, err)
		if !strings.Contains(string(schema), "template.replace(proxy(") && !strings.Contains(string(schema), "noProxy:") {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			values, err := os.ReadFile(filepath.Join(p.Dir, "test", "proxy", "values.yml"))
			require.NoError(t, err, "every package with a proxy has a render case of this name")
			b, err := repository.BuildVersion(context.Background(), c, p.Versions[len(p.Versions)-1], repository.Options{})
			require.NoError(t, err)
			objects, err := bundle.Render(context.Background(), b, []bundle.ValuesFile{{Name: "values.yml", Data: values}}, bundle.RenderOptions{})
			require.NoError(t, err)
			proxied := proxiesOf(t, objects)
			require.NotEmpty(t, proxied, "no object contains the proxy")
			for _, server := range apiServers {
				for where, config := range proxied {
					requireDirect(t, where, expanded(config, server), append(ownHosts(t, objects, values), server))
				}
			}
		})
	}
}

// proxiesOf reads the proxy of each container, and of each Secret that holds settings.
func proxiesOf(t *testing.T, objects []manifest.Object) map[string]httpproxy.Config {
	t.Helper()
	found := map[string]httpproxy.Config{}
	add := func(where string, c httpproxy.Config) {
		if c != (httpproxy.Config{}) {
			found[where] = c
		}
	}
	for _, o := range objects {
		where := o.GetKind() + "/" + o.GetName()
		if o.GetKind() == "Secret" {
			data, _, err := unstructured.NestedStringMap(o.Object, "stringData")
			require.NoError(t, err)
			add(where, httpproxy.Config{HTTPProxy: data["httpProxy"], HTTPSProxy: data["httpsProxy"], NoProxy: data["noProxy"]})
		}
		containers, _, err := unstructured.NestedFieldNoCopy(o.Object, "spec", "template", "spec", "containers")
		require.NoError(t, err)
		list, _ := containers.([]any)
		for _, c := range list {
			var container corev1.Container
			text, err := yaml.Marshal(c)
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(text, &container))
			env := map[string]string{}
			for _, variable := range container.Env {
				value := variable.Value
				for name := range env { // as the kubelet does: only earlier variables
					value = strings.ReplaceAll(value, "$("+name+")", nodeAddress)
				}
				env[variable.Name] = value
			}
			add(where+" "+container.Name, httpproxy.Config{HTTPProxy: env["HTTP_PROXY"], HTTPSProxy: env["HTTPS_PROXY"], NoProxy: env["NO_PROXY"]})
		}
	}
	return found
}

// expanded replaces the address of the API server as the kubelet does in variables and
// kapp-controller in its settings.
func expanded(c httpproxy.Config, server string) httpproxy.Config {
	c.NoProxy = strings.NewReplacer("$(KUBERNETES_SERVICE_HOST)", server, "KAPPCTRL_KUBERNETES_SERVICE_HOST", server).Replace(c.NoProxy)
	return c
}

// ownHosts are the names of the API server and of the Services of a package.
func ownHosts(t *testing.T, objects []manifest.Object, values []byte) []string {
	t.Helper()
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal(values, &tree))
	domain := "cluster.local"
	if own, ok := tree["clusterDomain"].(string); ok {
		domain = own
	}
	hosts := []string{}
	add := func(name string) {
		hosts = append(hosts, name+".svc", name+".svc."+domain, name+".svc."+domain+".")
	}
	add("kubernetes.default")
	for _, o := range objects {
		if o.GetKind() == "Service" {
			add(o.GetName() + "." + o.GetNamespace())
			add("pod-0." + o.GetName() + "." + o.GetNamespace())
		}
	}
	return hosts
}

func requireDirect(t *testing.T, where string, config httpproxy.Config, hosts []string) {
	t.Helper()
	require.NotContains(t, config.NoProxy, "$(", "%s: nothing replaces this", where)
	proxyOf := config.ProxyFunc()
	for scheme, proxy := range map[string]string{"http": config.HTTPProxy, "https": config.HTTPSProxy} {
		for _, host := range hosts {
			used, err := proxyOf(&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, "8443")})
			require.NoError(t, err)
			require.Nil(t, used, "%s: %s://%s, with NO_PROXY=%s", where, scheme, host, config.NoProxy)
		}
		if proxy != "" {
			used, err := proxyOf(&url.URL{Scheme: scheme, Host: "registry.example.org"})
			require.NoError(t, err)
			require.NotNil(t, used, "%s: an external host, with NO_PROXY=%s", where, config.NoProxy)
			require.Equal(t, proxy, used.String())
		}
	}
}
