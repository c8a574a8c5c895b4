module strake.test/events

go 1.26.0

tool strake.test/events
