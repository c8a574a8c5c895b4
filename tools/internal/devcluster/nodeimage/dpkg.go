package nodeimage

import (
	"bufio"
	"bytes"
	"path"
	"strings"
)

// closure is the packages and all they depend on, by dpkg's status file. Of
// alternatives the first counts, as debootstrap installs it.
func closure(status []byte, packages []string) []string {
	depends := dependencies(status)
	seen := map[string]bool{}
	for queue := packages; len(queue) > 0; queue = queue[1:] {
		if !seen[queue[0]] {
			seen[queue[0]] = true
			queue = append(queue, depends[queue[0]]...)
		}
	}
	all := make([]string, 0, len(seen))
	for p := range seen {
		all = append(all, p)
	}
	return all
}

// dependencies reads the Depends and Pre-Depends of every package.
func dependencies(status []byte) map[string][]string {
	depends := map[string][]string{}
	var current string
	lines := bufio.NewScanner(bytes.NewReader(status))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "Package":
			current = value
		case "Depends", "Pre-Depends":
			for _, d := range strings.Split(value, ",") {
				name, _, _ := strings.Cut(strings.TrimSpace(d), " ")
				name, _, _ = strings.Cut(name, ":")
				depends[current] = append(depends[current], name)
			}
		}
	}
	return depends
}

// ownFiles are the paths of a package's list, as they stand in the system,
// where /lib and the like are links into /usr.
func ownFiles(lists map[string][]byte, pkg string) []string {
	var files []string
	for name, content := range lists {
		base := strings.TrimSuffix(path.Base(name), ".list")
		if base, _, _ = strings.Cut(base, ":"); base != pkg {
			continue
		}
		for line := range strings.Lines(string(content)) {
			files = append(files, merged(strings.TrimPrefix(strings.TrimSpace(line), "/")))
		}
	}
	return files
}

// merged is where a path really is on a system with merged /usr.
func merged(name string) string {
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		return "usr/" + name
	}
	return name
}
