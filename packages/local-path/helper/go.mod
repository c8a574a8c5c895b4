module strake.dev/local-path-helper

go 1.26.0

tool strake.dev/local-path-helper
