module strake.test/hello

go 1.26.0

tool strake.test/hello
