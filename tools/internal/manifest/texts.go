package manifest

// EachText visits every text in a part of an object, in no particular order.
func EachText(value any, visit func(string)) {
	switch value := value.(type) {
	case string:
		visit(value)
	case []any:
		for _, item := range value {
			EachText(item, visit)
		}
	case map[string]any:
		for _, item := range value {
			EachText(item, visit)
		}
	}
}
