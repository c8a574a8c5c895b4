package main

import (
	"fmt"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkSize compares an object with what etcd stores at most. Of an object in text, what
// the API server adds, such as its UID and its managed fields, comes on top: an object
// that passes here may still be too large.
func checkSize(stored int) field.ErrorList {
	if stored <= embed.DefaultMaxRequestBytes {
		return nil
	}
	err := field.TooLong(nil, "", embed.DefaultMaxRequestBytes)
	err.Detail = fmt.Sprintf("the object takes %d bytes, and etcd stores at most %d in one", stored, int(embed.DefaultMaxRequestBytes))
	return field.ErrorList{err}
}
