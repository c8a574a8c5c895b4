module strake.test/packages/tiny

go 1.25

tool example.test/tiny/cmd/tiny

require example.test/tiny v1.0.0 // indirect
