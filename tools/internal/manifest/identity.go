package manifest

import "k8s.io/apimachinery/pkg/runtime/schema"

// Identity is how kapp tells objects apart. The version of an API is not part of it.
type Identity struct {
	Kind            schema.GroupKind
	Namespace, Name string
}

// Identity is the object's.
func (o Object) Identity() Identity {
	return Identity{o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName()}
}
