// Program writer writes a program that prints what the file it is given holds.
package main

import (
	"fmt"
	"os"
	"strings"
)

const source = `package main

import "example.test/replaced"

func main() { println(%q, replaced.Word) }
`

func main() {
	content, err := os.ReadFile(os.Args[1])
	check(err)
	if names := os.Environ(); len(names) != 2 {
		check(fmt.Errorf("an environment of %v", names))
	}
	check(os.WriteFile("main.go", fmt.Appendf(nil, source, strings.TrimSpace(string(content))), 0o644))
	// A generator that has its own mind about modules is not listened to.
	check(os.WriteFile("go.mod", []byte("module other\n"), 0o644))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
