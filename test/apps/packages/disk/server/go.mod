module strake.test/disk

go 1.26.0

tool strake.test/disk
