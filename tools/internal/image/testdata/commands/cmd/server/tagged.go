//go:build marked

package main

func init() { tagged = "tagged" }
