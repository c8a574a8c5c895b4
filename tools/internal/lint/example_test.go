package lint

import "testing"

func TestWrongChecksums(t *testing.T) {
	config := func(annotations, data string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {" + annotations + "}}\ndata: {" + data + "}\n"
	}
	const annotation = "knative.dev/example-checksum: 'e66f1b3f'"
	for name, test := range map[string]struct{ text, want string }{
		"no checksum":         {config("", "_example: changed"), ""},
		"its checksum":        {config(annotation, `_example: "one: 1\n\ntwo: 2\n"`), ""},
		"other ends of line":  {config(annotation, `_example: "one: 1\r\ntwo: 2"`), ""},
		"changed":             {config(annotation, `_example: "one: 1\ntwo: 3\n"`), "knative.dev/example-checksum is e66f1b3f, and that of its _example would be "},
		"without its example": {config(annotation, ""), "so its webhook refuses it"},
	} {
		t.Run(name, func(t *testing.T) { requireFinding(t, test.want, wrongChecksums(objects(t, test.text))) })
	}
}
