package bundle

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForPackage(t *testing.T) {
	for name, test := range map[string]struct{ schema, want string }{
		"of a value":             {`{"type":"integer","default":1,"example":2,"x-example-description":"Two"}`, `{"default":1,"type":"integer"}`},
		"below a value":          {`{"properties":{"a":{"properties":{"b":{"example":{"c":1}}}}}}`, `{"properties":{"a":{"properties":{"b":{}}}}}`},
		"of a list's items":      {`{"items":{"example":"a","items":{"example":"b"}}}`, `{"items":{"items":{}}}`},
		"a value of that name":   {`{"properties":{"example":{"example":1,"type":"string"}}}`, `{"properties":{"example":{"type":"string"}}}`},
		"a default of that name": {`{"default":{"example":1},"enum":["example"]}`, `{"default":{"example":1},"enum":["example"]}`},
		"of another package": {
			`{"properties":{"packages":{"properties":{"keda":{"properties":{"enabled":{"default":false},"values":{"additionalProperties":false,"properties":{"a":{}},"type":"object"}}}}}}}`,
			`{"properties":{"packages":{"properties":{"keda":{"properties":{"enabled":{"default":false},"values":{"description":"see keda","type":"object"}}}}}}}`,
		},
		"a value named as a package": {`{"properties":{"keda":{"type":"string"}}}`, `{"properties":{"keda":{"type":"string"}}}`},
		"numbers as they are":        {`{"default":12345678901234567890,"maximum":1.50}`, `{"default":12345678901234567890,"maximum":1.50}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := forPackage([]byte(test.schema), map[string]string{"keda": "see keda"})
			require.NoError(t, err)
			require.Equal(t, test.want, string(got))
		})
	}
	_, err := forPackage([]byte("a: 1"), nil)
	require.ErrorContains(t, err, "reading ytt's schema")
}
