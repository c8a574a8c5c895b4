// Package replaced is in version v1.1.0 what the version's module takes for v1.0.0.
package replaced

// Word is printed by the server.
const Word = "word"
