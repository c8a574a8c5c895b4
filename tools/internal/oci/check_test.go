package oci

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForms(t *testing.T) {
	for _, test := range []struct {
		check func(string) error
		text  string
		want  string // empty is success
	}{
		{CheckRepository, "registry.example.com/platform", ""},
		{CheckRepository, "localhost:5000/a/b", ""},
		{CheckRepository, "registry.example.com/platform:1", "expected HOST/PATH, such as registry.example.com/platform"},
		{CheckRepository, "registry.example.com/platform@sha256:12", "expected HOST/PATH"},
		{CheckRepository, "platform", "expected HOST/PATH"},
		{CheckRepository, "", "expected HOST/PATH"},
		{CheckRepository, "not a ref!!", "expected HOST/PATH"},
		{CheckRepository, "https://x/y", "leave out https:// and write x/y"},
		{CheckRepository, "oci://registry.example.com/x", "leave out oci:// and write registry.example.com/x"},
		{CheckReference, "registry.example.com/platform", ""},
		{CheckReference, "registry.example.com:5000/platform", ""},
		{CheckReference, "registry.example.com:5000/platform:0.1.0", ""},
		{CheckReference, "registry.example.com:5000/platform@sha256:" + sixtyFour, ""},
		{CheckReference, "registry.example.com:5000/platform:0.1.0@sha256:" + sixtyFour, ""},
		{CheckReference, "platform:0.1.0", "expected HOST/PATH, HOST/PATH:TAG or HOST/PATH@DIGEST"},
		{CheckReference, "registry.example.com/platform@sha256:12", "expected "},
		{CheckReference, "registry.example.com/platform:0.1.0+strake.2", "expected "},
		{CheckShortReference, "kindest/node:v1.35.4", ""},
		{CheckShortReference, "not an image", "expected "},
		{CheckHost, "10.0.0.5:5000", ""},
		{CheckHost, "registry.example.com", ""},
		{CheckHost, "10.0.0.5:5000/platform", "expected HOST:PORT, such as 10.0.0.5:5000: it has a path"},
		{CheckHost, "http://10.0.0.5:5000", "leave out http:// and write 10.0.0.5:5000"},
		{CheckHost, "a b", "expected HOST:PORT"},
		{CheckHost, "", "expected HOST:PORT"},
	} {
		err := test.check(test.text)
		if test.want == "" {
			require.NoError(t, err, test.text)
		} else {
			require.ErrorContains(t, err, test.want, test.text)
		}
	}
	require.NotContains(t, CheckRepository("https://me:secret@x/y").Error(), "secret")
}

const sixtyFour = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
