package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// objectsFormat changes when manifest begins to render equal sources
// otherwise, or objects are kept otherwise.
const objectsFormat = "1"

// objectsKey is the hash of all that decides what a version's upstream
// renders to.
func objectsKey(v *catalog.Version) (string, error) {
	sources, err := upstream.Key(v)
	if err != nil {
		return "", err
	}
	return hash(v, objectsFormat, libraries(), sources, v.Manifests())
}

// bundleKey is the hash of all that decides a version's bundle and Package.
// Paths of the checkout are not part of it, so all checkouts share the cache.
func bundleKey(repo catalog.Repository, v *catalog.Version) (string, error) {
	objects, err := objectsKey(v)
	if err != nil {
		return "", err
	}
	config, err := bundle.ConfigFiles(v.Package)
	if err != nil {
		return "", fmt.Errorf("building the bundle of %s: %w", v.ID(), err)
	}
	inputs, err := bundle.GenerateInputs(v)
	if err != nil {
		return "", fmt.Errorf("building the bundle of %s: %w", v.ID(), err)
	}
	var installed []string
	for _, other := range contained(repo, v) {
		key, err := bundleKey(repo, other)
		if err != nil {
			return "", err
		}
		installed = append(installed, key)
	}
	declared := *v
	declared.Package, declared.Dir = nil, ""
	return hash(v, bundle.Format, objects, config, inputs, v.Profiles(), declared, v.Package.Name, v.Package.Optional(), repo.Domain, repo.Canonical, installed)
}

func hash(v *catalog.Version, parts ...any) (string, error) {
	// JSON sorts the keys of maps and keeps the parts apart.
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("hashing the inputs of %s: %w", v.ID(), err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// libraries are the modules of this program with their versions: another
// kustomize, helm or ytt may render otherwise.
func libraries() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	list := make([]string, 0, len(info.Deps))
	for _, module := range info.Deps {
		list = append(list, module.Path+"@"+module.Version)
	}
	return list
}
