package upstream

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
)

// address is a field of vendir.yml that says where something is.
type address struct{ field, value string }

// checkCredentials refuses credentials in vendir.yml: its addresses are
// committed, and shown as the origin of every file. No error repeats one.
func checkCredentials(one *vendir.DirectoryContents) error {
	var errs []error
	for _, a := range addresses(one) {
		if hasUserinfo(a.value) {
			errs = append(errs, fmt.Errorf("%s has a user name or password in it: remove it, and give credentials by the environment (git's credential helpers, VENDIR_GITHUB_API_TOKEN, IMGPKG_USERNAME and IMGPKG_PASSWORD, docker login)", a.field))
		}
	}
	for _, field := range secretRefs(one) {
		errs = append(errs, fmt.Errorf("%s names a Secret, and there is none: give credentials by the environment", field))
	}
	return errors.Join(errs...)
}

// addresses are those of all kinds of contents.
func addresses(one *vendir.DirectoryContents) []address {
	var all []address
	if one.Git != nil {
		all = append(all, address{"git.url", one.Git.URL})
	}
	if one.Hg != nil {
		all = append(all, address{"hg.url", one.Hg.URL})
	}
	if one.HTTP != nil {
		all = append(all, address{"http.url", one.HTTP.URL})
	}
	if one.Image != nil {
		all = append(all, address{"image.url", one.Image.URL})
	}
	if one.ImgpkgBundle != nil {
		all = append(all, address{"imgpkgBundle.image", one.ImgpkgBundle.Image})
	}
	if g := one.GithubRelease; g != nil {
		all = append(all, address{"githubRelease.url", g.URL}, address{"githubRelease.slug", g.Slug})
		if g.HTTP != nil {
			all = append(all, address{"githubRelease.http.url", g.HTTP.URL})
		}
	}
	if h := one.HelmChart; h != nil {
		all = append(all, address{"helmChart.name", h.Name})
		if h.Repository != nil {
			all = append(all, address{"helmChart.repository.url", h.Repository.URL})
		}
	}
	if one.Directory != nil {
		all = append(all, address{"directory.path", one.Directory.Path})
	}
	return all
}

// hasUserinfo tells whether an address has a user or password before its host.
// The user of ssh ("ssh://git@host", "git@host:path") is part of the address,
// and a password is none of ssh's. A digest behind an image's name is none
// either.
func hasUserinfo(value string) bool {
	// A password may have characters that end the host.
	if _, err := url.Parse(value); err != nil && strings.Contains(value, "://") && strings.Contains(value, "@") {
		return true
	}
	scheme, rest, hasScheme := strings.Cut(value, "://")
	if !hasScheme {
		scheme, rest = "", value
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 || strings.HasPrefix(rest[at:], "@sha256:") {
		return false
	}
	isSSH := strings.HasSuffix(scheme, "ssh") || !hasScheme && strings.Contains(rest[at:], ":")
	return !isSSH || strings.Contains(rest[:at], ":")
}

// secretRefs are the fields that name a Secret.
func secretRefs(one *vendir.DirectoryContents) []string {
	var fields []string
	add := func(field string, ref *vendir.DirectoryContentsLocalRef) {
		if ref != nil {
			fields = append(fields, field)
		}
	}
	if one.Git != nil {
		add("git.secretRef", one.Git.SecretRef)
	}
	if one.HTTP != nil {
		add("http.secretRef", one.HTTP.SecretRef)
	}
	if one.Image != nil {
		add("image.secretRef", one.Image.SecretRef)
	}
	if one.ImgpkgBundle != nil {
		add("imgpkgBundle.secretRef", one.ImgpkgBundle.SecretRef)
	}
	if g := one.GithubRelease; g != nil {
		add("githubRelease.secretRef", g.SecretRef)
		if g.HTTP != nil {
			add("githubRelease.http.secretRef", g.HTTP.SecretRef)
		}
	}
	if one.HelmChart != nil && one.HelmChart.Repository != nil {
		add("helmChart.repository.secretRef", one.HelmChart.Repository.SecretRef)
	}
	return fields
}
