module cert-manager

go 1.26.0

// Sources alone: its chart. Its commands are modules of their own, which no proxy
// has, so the images are upstream's.
require github.com/cert-manager/cert-manager v1.21.1
