// Package environment compares and judges what an environment deploys: lists
// of objects by package go in, differences and findings come out.
//
// It must not know where the objects came from, and asks neither a cluster nor
// a registry. kapp's own Config, which no cluster ever sees, is not among the
// objects; bundle.Split takes it out.
//
// Start reading at [Diff] and [Validate].
package environment

import "github.com/strake-dev/strake/tools/internal/manifest"

// Rendered are the objects of an environment by the name of their package.
type Rendered map[string][]manifest.Object
