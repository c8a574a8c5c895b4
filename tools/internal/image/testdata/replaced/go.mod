module example.test/replaced

go 1.26.0
