// Command tiny does nothing.
package main

func main() { println("tiny 1.0.0") }
