package test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// changedPaths are the files that differ from the base, those that are not
// committed among them, and the base's name.
func changedPaths() (base string, paths []string, err error) {
	if base, err = changeBase(); err != nil {
		return "", nil, err
	}
	differing, err := git("diff", "--name-only", base)
	if err != nil {
		return "", nil, err
	}
	untracked, err := git("ls-files", "--others", "--exclude-standard")
	if err != nil {
		return "", nil, err
	}
	return base, strings.Fields(differing + "\n" + untracked), nil
}

// changeBase is the commit that a change is measured against: STRAKE_TEST_BASE,
// or where HEAD left origin/main, or the commit before HEAD where it did not.
func changeBase() (string, error) {
	if base := os.Getenv("STRAKE_TEST_BASE"); base != "" {
		return base, nil
	}
	head, err := git("rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	if base, err := git("merge-base", "HEAD", "origin/main"); err == nil && base != head {
		return base, nil
	}
	base, err := git("rev-parse", "HEAD^")
	if err != nil {
		return "", fmt.Errorf("nothing to compare with: this clone has neither another origin/main nor the commit before HEAD; "+
			"fetch more, or name a commit in STRAKE_TEST_BASE or packages in STRAKE_TEST_PACKAGES: %w", err)
	}
	return base, nil
}

func git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
