package devcluster

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/strake-dev/strake/tools/internal/names"
)

// RESTConfig reaches the cluster that a kubeconfig and a context name. Without a
// kubeconfig it is that of kubectl: the files of $KUBECONFIG, else ~/.kube/config.
// A context that does not exist is a [names.UnknownError]; every error says which
// flag or variable is the remedy.
//
// Clients of it send as fast as the API server answers, which shares its time fairly
// by itself; client-go's own limit is five requests a second.
func RESTConfig(kubeconfig, contextName string) (*rest.Config, error) {
	rules := loadingRules(kubeconfig)
	contexts, err := contextsOf(rules)
	if err != nil {
		return nil, err
	}
	if contextName != "" && !slices.Contains(contexts, contextName) {
		return nil, names.Unknownf("no context %q in %s; %s (--context, or another file by --kubeconfig or KUBECONFIG)",
			contextName, from(rules), names.Hint(contextName, contexts))
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: contextName}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	switch {
	case err != nil && len(contexts) == 0:
		return nil, fmt.Errorf("no cluster to work on: %s names none; pass a file with --kubeconfig or KUBECONFIG, or create a cluster with \"strake up\"", from(rules))
	case err != nil && contextName == "":
		return nil, fmt.Errorf("reading the current context of %s: %w; choose another by --context: %s", from(rules), err, strings.Join(contexts, ", "))
	case err != nil:
		return nil, fmt.Errorf("reading the context %q of %s: %w; correct it, or pass another file with --kubeconfig or KUBECONFIG", contextName, from(rules), err)
	}
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return reach{next} })
	return config, nil
}

// Contexts are the names of the contexts in a kubeconfig, sorted; without one, in
// that of kubectl.
func Contexts(kubeconfig string) ([]string, error) { return contextsOf(loadingRules(kubeconfig)) }

func loadingRules(kubeconfig string) *clientcmd.ClientConfigLoadingRules {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	return rules
}

func contextsOf(rules *clientcmd.ClientConfigLoadingRules) ([]string, error) {
	config, err := rules.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no kubeconfig %s; pass another file with --kubeconfig or KUBECONFIG", from(rules))
	case err != nil:
		return nil, fmt.Errorf("reading the kubeconfig: %w; correct it, or pass another file with --kubeconfig or KUBECONFIG", err)
	}
	return slices.Sorted(maps.Keys(config.Contexts)), nil
}

// from are the files that a kubeconfig is read from.
func from(rules *clientcmd.ClientConfigLoadingRules) string {
	return strings.Join(rules.GetLoadingPrecedence(), string(os.PathListSeparator))
}

// reach says what to do about a cluster that does not answer.
type reach struct{ next http.RoundTripper }

func (r reach) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return nil, fmt.Errorf("the cluster does not respond: %w; start it, or select another one with --context or --kubeconfig", err)
	}
	return response, err
}
