package docs

import (
	"fmt"
	"path"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// install returns the commands that install a version with the permissions that its
// values require. For a version that is not published it returns what comes first.
func install(c *catalog.Catalog, v *catalog.Version) string {
	p, from := v.Package, ""
	id := p.Name + "@" + v.Version
	if p.ExampleValues != "" {
		from = " --values-file " + path.Join("packages", p.Name, catalog.ExamplesDir, catalog.ExampleValuesFile)
	}
	if !c.Published(v) && v.Images == nil {
		return fmt.Sprintf("No version of this package is published, so `kctrl` does not offer it: the images are not locked yet.\n"+
			"This command locks them:\n\n```console\n$ .build/%s\n```\n", v.Relock())
	}
	if !c.Published(v) {
		return fmt.Sprintf("No version of this package is published, so `kctrl` does not offer it. This command prints its objects:\n\n"+
			"```console\n$ .build/strake render %s%s\n```\n", id, from)
	}
	var text strings.Builder
	text.WriteString("First [add the repository](../../README.md#your-own-cluster) to the cluster")
	if required := alwaysRequired(v); len(required) > 0 {
		fmt.Fprintf(&text, ", and install %s", strings.Join(required, " and "))
	}
	text.WriteString(". Then run these commands in the checkout:\n\n```console\n")
	values := ""
	if from != "" {
		fmt.Fprintf(&text, "$ cp %s values.yml    # edit the copy\n", path.Join("packages", p.Name, catalog.ExamplesDir, catalog.ExampleValuesFile))
		values = " --values-file values.yml"
	}
	fmt.Fprintf(&text, "$ .build/strake rbac %s -n packages%s | kubectl apply -f -\n", id, values)
	fmt.Fprintf(&text, "$ kctrl package install -i %s -p %s --version %s -n packages \\\n    --service-account-name %s-installer%s\n```\n",
		p.Name, c.Repository.FullName(p.Name), v.Version, p.Name, values)
	return text.String()
}

// alwaysRequired returns links to the packages that a version requires with any values.
func alwaysRequired(v *catalog.Version) []string {
	var links []string
	for _, r := range v.Requires {
		if !r.Optional {
			links = append(links, pageOf(r.Package))
		}
	}
	return links
}
