module strake.test/dialer

go 1.26.0

tool strake.test/dialer
