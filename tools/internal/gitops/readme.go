package gitops

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed readme.tmpl
var readmeText string

// readme says what the folder is, for whoever finds it in git.
func (p *plan) readme() ([]byte, error) {
	page, err := template.New(readmeFile).Parse(readmeText)
	if err != nil {
		return nil, fmt.Errorf("reading the template of %s: %w", readmeFile, err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Mark": mark(p.environment.Name), "Environment": p.environment.Name, "Description": strings.TrimSpace(p.environment.Description),
		"Name": p.name, "Version": p.version, "Namespace": p.namespace, "Image": p.image,
		"KappController": p.kappController, "Flux": p.options.Flux, "ValuesSecret": p.options.ValuesSecret,
		"Needs": p.needs, "First": p.name + "-" + prerequisitesDir,
	})
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", readmeFile, err)
	}
	return out.Bytes(), nil
}
