package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8sjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Encode writes objects as YAML documents, in their order, with sorted keys:
// the same objects always give the same bytes.
func Encode(w io.Writer, objects []Object) error {
	for _, o := range objects {
		data, err := yaml.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", o.ID(), err)
		}
		if _, err := fmt.Fprintf(w, "---\n%s", data); err != nil {
			return fmt.Errorf("writing %s: %w", o.ID(), err)
		}
	}
	return nil
}

// cached is one line of a cache file.
type cached struct {
	Origin Origin         `json:"origin"`
	Object map[string]any `json:"object"`
}

// EncodeCache writes objects and their origins in the form that [DecodeCache]
// reads, which is made for speed: one line of JSON for each object. The form
// may change between versions of this program, so the key of a cache must
// tell them apart.
func EncodeCache(w io.Writer, objects []Object) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, o := range objects {
		if err := encoder.Encode(cached{o.Origin, o.Object}); err != nil {
			return fmt.Errorf("caching %s: %w", o.ID(), err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("caching rendered objects: %w", err)
	}
	return nil
}

// DecodeCache reads what [EncodeCache] wrote.
func DecodeCache(r io.Reader) ([]Object, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading cached objects: %w", err)
	}
	var objects []Object
	for line := range bytes.Lines(data) {
		var c cached
		if err := unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("reading cached objects (delete the cache to have them rendered again): %w", err)
		}
		if c.Object == nil {
			return nil, errors.New("reading cached objects (delete the cache to have them rendered again): a line holds none")
		}
		objects = append(objects, Object{Unstructured: &unstructured.Unstructured{Object: c.Object}, Origin: c.Origin})
	}
	return objects, nil
}

// unmarshal keeps whole numbers whole, as Kubernetes does.
func unmarshal(data []byte, into any) error {
	return k8sjson.UnmarshalCaseSensitivePreserveInts(data, into)
}
