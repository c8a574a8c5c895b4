// Command vulncheck reads what govulncheck found, as an OpenVEX document on
// stdin, and fails on each vulnerability that affects this module and that the
// file of exceptions (its one argument) does not list.
//
// It exists because govulncheck knows no exceptions
// (https://go.dev/issue/59507). An exception that no longer applies fails as
// well, so that the list does not outlive its reasons.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: govulncheck -format openvex ./... | vulncheck EXCEPTIONS.yml")
	}
	exceptions, err := readExceptions(args[0])
	if err != nil {
		return err
	}
	found, err := readVEX(in)
	if err != nil {
		return err
	}
	if err := compare(found, exceptions); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d vulnerabilities in what is required, %d affect this module, all of them excepted in %s\n",
		len(found.all), len(found.affecting), args[0])
	return nil
}
