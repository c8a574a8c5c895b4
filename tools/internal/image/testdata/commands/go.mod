module example.test/commands

go 1.26.0

require example.test/replaced v1.0.0
