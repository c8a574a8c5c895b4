package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
)

// peer is what a TLS server says of itself.
type peer struct {
	// Chain is the certificates as PEM, the server's own first.
	Chain string `json:"chain"`
	// Refused is why the server ended a connection without a client's
	// certificate; empty if it took one.
	Refused string `json:"refused"`
}

// identity connects to ?address=HOST:PORT, without trusting it and without a
// certificate, and answers with the peer.
func identity(w http.ResponseWriter, r *http.Request) {
	found, err := inspect(r.FormValue("address"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(found)
}

func inspect(address string) (peer, error) {
	//nolint:gosec // The test verifies the chain by itself.
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		return peer{}, err
	}
	defer conn.Close()
	var chain bytes.Buffer
	for _, certificate := range conn.ConnectionState().PeerCertificates {
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}); err != nil {
			return peer{}, err
		}
	}
	// A server of TLS 1.3 tells only now that it wants a certificate.
	var refused string
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		refused = err.Error()
	}
	return peer{Chain: chain.String(), Refused: refused}, nil
}
