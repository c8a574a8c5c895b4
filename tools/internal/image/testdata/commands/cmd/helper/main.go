// Command helper stands beside server in one image.
package main

func main() { println("helper") }
