package catalog

import (
	"strings"
	"testing"
)

// Each parser takes any input without a panic, and says of every problem where it is.

func fuzz(f *testing.F, seed string, parse func(f *file, data []byte)) {
	f.Helper()
	f.Add([]byte(seed))
	for i := range 8 {
		f.Add([]byte(seed[:len(seed)*i/8]))
	}
	f.Add([]byte(strings.ReplaceAll(seed, ": ", ": &x ")))
	f.Add([]byte("? [a]\n: {<<: *x}\n"))
	f.Add([]byte("a: !!binary x\n---\n- 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := newFile("x")
		parse(out, data)
		for _, p := range out.sorted() {
			if p.line < 1 || p.text == "" {
				t.Errorf("no position or no text: %v", p)
			}
		}
	})
}

func FuzzRepository(f *testing.F) {
	fuzz(f, goodRepository, func(f *file, data []byte) { checkPublished(f, parseRepository(f, data), nil) })
}

func FuzzPackage(f *testing.F) {
	fuzz(f, goodPackage, func(f *file, data []byte) { parsePackage(f, data, "boat") })
}

func FuzzVersion(f *testing.F) {
	fuzz(f, goodVersion, func(f *file, data []byte) { parseVersion(f, data, "1.2.0") })
}

func FuzzImagesLock(f *testing.F) {
	fuzz(f, goodLock, func(f *file, data []byte) {
		checkAgainst(f, parseLock(f, data), []Image{{Name: "hull", Reference: "hull"}}, "lock it")
	})
}

func FuzzModule(f *testing.F) {
	fuzz(f, goodModule, func(f *file, data []byte) { readTools(f, data, func(int, string) {}) })
}
