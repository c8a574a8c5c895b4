// Manifests that all controllers share. Each controller has a module of its own in a
// folder below, since they do not resolve together.
module flux

go 1.26.0

require github.com/fluxcd/flux2/v2 v2.9.5 // indirect
