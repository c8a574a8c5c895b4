package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/downloader"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// vendir calls a helm program for charts. Helm's own is a main package that
// nobody can link, and it has no way to say what archive is expected; so the
// child answers for it, with helm's SDK, to the calls that vendir makes.

// helmCall is one call of helm by vendir.
type helmCall struct {
	verb     string
	chart    string
	repo     string
	version  string
	untarDir string
}

// childHelm is `helm fetch` and `helm pull`, as vendir calls them. `helm repo
// add` has nothing to do, since fetch is told the repository; `helm init` is
// unknown, as in helm 3.
func childHelm(args []string, _ io.Reader, _ io.Writer) error {
	call, err := parseHelm(args)
	if err != nil {
		return err
	}
	switch call.verb {
	case "repo":
		return nil
	case "fetch", "pull":
		return call.pull()
	}
	return fmt.Errorf("unknown command %q for helm", call.verb)
}

func parseHelm(args []string) (helmCall, error) {
	var call helmCall
	f := pflag.NewFlagSet(helmJob, pflag.ContinueOnError)
	f.Bool("untar", false, "")
	f.Bool("client-only", false, "")
	f.String("stable-repo-url", "", "")
	f.StringVar(&call.repo, "repo", "", "")
	f.StringVar(&call.version, "version", "", "")
	f.StringVar(&call.untarDir, "untardir", "", "")
	if err := f.Parse(args); err != nil {
		return call, fmt.Errorf("reading a call of helm: %w", err)
	}
	call.verb, call.chart = f.Arg(0), f.Arg(1)
	return call, nil
}

// pull downloads the chart's archive, checks its sum and then its entries, and
// only then unpacks it.
func (h helmCall) pull() error {
	temp, err := os.MkdirTemp("", "strake-chart-")
	if err != nil {
		return fmt.Errorf("making a folder for the chart: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	archive, err := h.download(temp)
	if err != nil {
		return fmt.Errorf("downloading chart %s: %w", h.chart, err)
	}
	if err := h.verify(archive); err != nil {
		return err
	}
	if err := makeDir(h.untarDir); err != nil {
		return err
	}
	err = untrusted.Unpack(context.Background(), archive, h.untarDir, untrusted.Default())
	return remedy("helmChart "+h.chart, err, "take another version of the chart")
}

func (h helmCall) download(dir string) (string, error) {
	settings := cli.New()
	d := downloader.ChartDownloader{
		Out: os.Stdout,
		Getters: getter.Providers{
			{Schemes: []string{"http", "https"}, New: newBoundedGetter},
			{Schemes: []string{registry.OCIScheme}, New: getter.NewOCIGetter},
		},
		RepositoryConfig: settings.RepositoryConfig,
		RepositoryCache:  settings.RepositoryCache,
	}
	ref := h.chart
	if registry.IsOCI(ref) {
		client, err := h.registryClient(settings)
		if err != nil {
			return "", err
		}
		d.RegistryClient = client
		d.Options = append(d.Options, getter.WithRegistryClient(client), getter.WithPlainHTTP(isLoopback(ref)))
	} else if h.repo != "" {
		found, err := repo.FindChartInRepoURL(h.repo, h.chart, h.version, "", "", "", d.Getters)
		if err != nil {
			return "", err
		}
		ref = found
	}
	file, _, err := d.DownloadTo(ref, h.version, dir)
	return file, err
}

// boundedGetter downloads charts and the indexes of repositories, which helm's
// own getter reads into memory whatever their size.
type boundedGetter struct{}

func newBoundedGetter(...getter.Option) (getter.Getter, error) { return boundedGetter{}, nil }

// Get implements [getter.Getter].
func (boundedGetter) Get(address string, _ ...getter.Option) (*bytes.Buffer, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("getting %s: %s", address, answer.Status)
	}
	var content bytes.Buffer
	_, err = content.ReadFrom(untrusted.Limit(answer.Body, untrusted.File, address))
	return &content, err
}

func (h helmCall) registryClient(settings *cli.EnvSettings) (*registry.Client, error) {
	options := []registry.ClientOption{
		registry.ClientOptWriter(os.Stdout),
		registry.ClientOptCredentialsFile(settings.RegistryConfig),
	}
	if isLoopback(h.chart) {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	return registry.NewClient(options...)
}

// isLoopback tells whether a registry is on this machine and so, as other
// OCI clients take it, spoken to without TLS.
func isLoopback(ref string) bool {
	u, err := url.Parse(ref)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

func (h helmCall) verify(archive string) error {
	var sums map[string]string
	if err := json.Unmarshal([]byte(os.Getenv(chartsEnv)), &sums); err != nil {
		return fmt.Errorf("reading the sums of charts from %s: %w", chartsEnv, err)
	}
	want := sums[sumKey(h.repo, h.chart, h.version)]
	data, err := os.ReadFile(archive)
	if err != nil {
		return fmt.Errorf("reading chart %s: %w", h.chart, err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("the archive %s of chart %s should have the SHA-256 %s of vendir.yml, but has %s",
			filepath.Base(archive), h.chart, want, got)
	}
	return nil
}

// chartSums holds each chart's SHA-256 under what the helm child will be told.
func (c *config) chartSums(what vendir.Config) map[string]string {
	sums := map[string]string{}
	for _, d := range what.Directories {
		for _, one := range d.Contents {
			if h := one.HelmChart; h != nil {
				sums[chartKey(h)] = c.charts[join(d.Path, one.Path)]
			}
		}
	}
	return sums
}

func chartKey(h *vendir.DirectoryContentsHelmChart) string {
	url := ""
	if h.Repository != nil {
		url = h.Repository.URL
	}
	if registry.IsOCI(url) {
		return sumKey("", strings.TrimSuffix(url, "/")+"/"+h.Name, h.Version)
	}
	return sumKey(url, h.Name, h.Version)
}

func sumKey(repo, chart, version string) string {
	return strings.Join([]string{repo, chart, version}, " ")
}
