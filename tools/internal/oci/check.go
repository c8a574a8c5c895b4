package oci

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// CheckRepository returns what keeps text from being HOST/PATH, or nil.
func CheckRepository(text string) error {
	return form(text, "HOST/PATH", "registry.example.com/platform", func() error {
		_, err := name.NewRepository(text, name.StrictValidation)
		return err
	})
}

// CheckReference returns what keeps text from being HOST/PATH, alone or with
// :TAG or @DIGEST, or nil.
func CheckReference(text string) error {
	return form(text, "HOST/PATH, HOST/PATH:TAG or HOST/PATH@DIGEST", "registry.example.com/platform:0.1.0", func() error {
		ref, err := name.ParseReference(text)
		if err != nil {
			return err
		}
		path, _, _ := strings.Cut(text, "@")
		if tag, ok := ref.(name.Tag); ok {
			path = strings.TrimSuffix(path, ":"+tag.TagStr())
		} else if i := strings.LastIndex(path, ":"); i > strings.LastIndex(path, "/") {
			path = path[:i]
		}
		_, err = name.NewRepository(path, name.StrictValidation)
		return err
	})
}

// CheckShortReference is [CheckReference] for images that a container engine
// pulls: the host may be left out.
func CheckShortReference(text string) error {
	return form(text, "[HOST/]NAME, alone or with :TAG or @DIGEST,", "docker.io/kindest/node:v1.35.4", func() error {
		_, err := name.ParseReference(text)
		return err
	})
}

// CheckHost returns what keeps text from being the HOST or HOST:PORT of a
// registry, or nil.
func CheckHost(text string) error {
	return form(text, "HOST:PORT", "10.0.0.5:5000", func() error {
		if strings.Contains(text, "/") {
			return errors.New("it has a path")
		}
		_, err := name.NewRegistry(text, name.StrictValidation)
		return err
	})
}

// form says which form is expected. Text that may hold credentials is not
// repeated.
func form(text, want, example string, check func() error) error {
	if before, after, found := strings.Cut(text, "://"); found {
		hint := fmt.Sprintf("expected %s, such as %s, without a scheme", want, example)
		if u, err := url.Parse(text); err == nil && u.User == nil {
			hint = fmt.Sprintf("expected %s, such as %s: leave out %s:// and write %s", want, example, before, after)
		}
		return fmt.Errorf("%s", hint)
	}
	if err := check(); err != nil {
		return fmt.Errorf("expected %s, such as %s: %w", want, example, err)
	}
	return nil
}
