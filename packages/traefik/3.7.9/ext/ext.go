// Package ext stands in for github.com/traefik/traefik/dynamic/ext: a nested
// module of Traefik's repository with nothing in it, where others may add fields
// to Traefik's dynamic configuration. Traefik replaces it by a folder, so that no
// version of it was ever released, and the zip of Traefik's module leaves it out.
package ext

// HTTP adds nothing to the HTTP part of the dynamic configuration.
type HTTP struct{}

// Router adds nothing to a router.
type Router struct{}
