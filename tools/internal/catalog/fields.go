package catalog

import (
	"reflect"
	"strings"
)

// field is one field of a struct as its yaml tag describes it.
type field struct {
	name     string
	index    int
	optional bool // the tag says "omitempty"
}

// fieldsOf are the fields that a document may give to a struct of type t.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		fields = append(fields, field{name: name, index: i, optional: options == "omitempty"})
	}
	return fields
}

func fieldNames(fields []field) []string {
	list := make([]string, 0, len(fields))
	for _, fd := range fields {
		list = append(list, fd.name)
	}
	return list
}
