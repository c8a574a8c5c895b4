package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	certs "github.com/open-policy-agent/cert-controller/pkg/rotator"
)

// Keys of the secret. Those of the server are Kubernetes' own for TLS.
const (
	keyCA         = "ca.crt"
	keyCAKey      = "ca.key"
	keyServer     = "tls.crt"
	keyServerKey  = "tls.key"
	authorityName = "webhook-ca"
)

// issuer makes certificates.
type issuer struct {
	// Names are the DNS names of the server, the first of which is checked.
	Names []string
	// Validity and CAValidity are how long certificates are made for,
	// RenewBefore how long before their end they no longer count as valid.
	Validity, CAValidity, RenewBefore time.Duration
}

// renew answers with the data that the secret must have, and whether it differs
// from what it has. A new CA is put before the last one, which stays: servers
// that still show a certificate of the last one go on being trusted until they
// have read theirs anew.
func (i issuer) renew(data map[string][]byte, now time.Time) (map[string][]byte, bool, error) {
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	maker := certs.CertRotator{CAName: authorityName, DNSName: i.Names[0], ExtraDNSNames: i.Names[1:], ExtKeyUsages: &usages}
	at := now.Add(i.RenewBefore)
	ca := authority(data)
	newCA := ca == nil || !valid(data[keyCA], data[keyCA], data[keyCAKey], authorityName, nil, at)
	if !newCA && i.serves(data, &usages, at) {
		return data, false, nil
	}
	begin, previous := now.Add(-time.Hour), firstBlock(data[keyCA])
	if newCA {
		var err error
		if ca, err = maker.CreateCACert(begin, now.Add(i.CAValidity)); err != nil {
			return nil, false, fmt.Errorf("making a CA: %w", err)
		}
	}
	server, key, err := maker.CreateCertPEM(ca, begin, now.Add(i.Validity))
	if err != nil {
		return nil, false, fmt.Errorf("making a certificate for %s: %w", i.Names[0], err)
	}
	bundle := data[keyCA]
	if newCA {
		bundle = bytes.Join([][]byte{ca.CertPEM, previous}, nil)
	}
	return map[string][]byte{keyCA: bundle, keyCAKey: ca.KeyPEM, keyServer: server, keyServerKey: key}, true, nil
}

// serves tells whether the server's certificate holds for all names.
func (i issuer) serves(data map[string][]byte, usages *[]x509.ExtKeyUsage, at time.Time) bool {
	for _, name := range i.Names {
		if !valid(data[keyCA], data[keyServer], data[keyServerKey], name, usages, at) {
			return false
		}
	}
	return true
}

func valid(ca, cert, key []byte, name string, usages *[]x509.ExtKeyUsage, at time.Time) bool {
	ok, err := certs.ValidCert(ca, cert, key, name, usages, at)
	return ok && err == nil
}

// authority is the CA that the secret holds, nil if there is none to use.
func authority(data map[string][]byte) *certs.KeyPairArtifacts {
	cert, key, err := keyPair(firstBlock(data[keyCA]), data[keyCAKey])
	if err != nil {
		return nil
	}
	return &certs.KeyPairArtifacts{Cert: cert, Key: key, CertPEM: firstBlock(data[keyCA]), KeyPEM: data[keyCAKey]}
}

func keyPair(certPEM, keyPEM []byte) (*x509.Certificate, *rsa.PrivateKey, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, errors.New("the CA's key is not of RSA")
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	return cert, key, err
}

// firstBlock is the newest CA of a bundle.
func firstBlock(bundle []byte) []byte {
	block, _ := pem.Decode(bundle)
	if block == nil {
		return nil
	}
	return pem.EncodeToMemory(block)
}
