// Command server prints the version that was linked into it.
package main

import "example.test/replaced"

var version, tagged = "unknown", "untagged"

func main() { println(version, replaced.Word, tagged) }
