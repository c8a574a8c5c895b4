package test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// certManagerIssues makes a certificate authority of its own, lets it sign a
// certificate, and sees that the webhook refuses what cannot work.
func certManagerIssues(t *testing.T, c *cluster) {
	namespace := c.namespace(t, "certificates")
	eventually(t, time.Minute, "the webhook has its CA", func() (bool, string) {
		err := c.tryApply(t.Context(), certificates(namespace))
		return err == nil, fmt.Sprint(err)
	})
	eventually(t, 2*time.Minute, "the certificate is issued", func() (bool, string) {
		object := c.get(t, kind("cert-manager.io", "v1", "Certificate"), namespace, "leaf")
		return condition(object, "Ready") == "True", fmt.Sprint(object.Object["status"])
	})
	secret, err := c.typed.CoreV1().Secrets(namespace).Get(t.Context(), "leaf", metav1.GetOptions{})
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(secret.Data["ca.crt"]))
	block, _ := pem.Decode(secret.Data["tls.crt"])
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	_, err = certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: "shop.example.com"})
	require.NoError(t, err)

	err = c.tryApply(t.Context(), strings.Replace(certificates(namespace), "duration: 24h", "duration: 1m", 1))
	require.ErrorContains(t, err, "webhook.cert-manager.io", "a certificate that ends before it can be renewed")
}

func certificates(namespace string) string {
	return strings.ReplaceAll(`apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self, namespace: NAMESPACE}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: authority, namespace: NAMESPACE}
spec:
  isCA: true
  commonName: authority
  secretName: authority
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: self}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: authority, namespace: NAMESPACE}
spec: {ca: {secretName: authority}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: leaf, namespace: NAMESPACE}
spec:
  dnsNames: [shop.example.com]
  duration: 24h
  secretName: leaf
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: authority}`, "NAMESPACE", namespace)
}
