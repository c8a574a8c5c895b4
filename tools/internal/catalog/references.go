package catalog

// TextReference says how texts name objects of a kind.
type TextReference struct {
	// Kind is the kind without its API group: Middleware.
	Kind string `yaml:"kind"`
	// Pattern is a regular expression that finds names in any text of an object. Its
	// groups are called name and, if the text has it, namespace; or joined, for
	// NAMESPACE-NAME.
	Pattern string `yaml:"pattern"`
}

// CreatedObject is an object that exists in whatever namespace it is looked for.
type CreatedObject struct {
	// Kind is the kind without its API group: Secret.
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
	// Reason says which program creates it.
	Reason string `yaml:"reason"`
}
