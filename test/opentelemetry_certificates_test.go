package test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const operatorSecret = "opentelemetry-operator-controller-manager-service-cert"

// operatorRenewsCertificates: a CA that ends tomorrow is replaced today, and so is
// what it signed. The webhooks answer all the while: with the old certificate,
// whose CA stays known, until the operator has read the new one.
func (c *cluster) operatorRenewsCertificates(t *testing.T, namespace string) {
	loaded := c.certificatesRead(t)
	ending := endTomorrow(t, c.certificate(t, "ca.crt"), c.certificate(t, "ca.key"))
	c.patch(t, secretKind, operatorNamespace, operatorSecret,
		fmt.Sprintf(`{"data":{"ca.crt":%q}}`, base64.StdEncoding.EncodeToString(ending)))
	eventually(t, time.Minute, "there is a new CA, and all are told", func() (bool, string) {
		now := c.certificate(t, "ca.crt")
		lacking := c.lackingCA(t)
		return string(now) != string(ending) && strings.HasSuffix(string(now), string(ending)) && len(lacking) == 0, fmt.Sprint(lacking)
	})
	c.nudgeOperator(t)
	eventually(t, 3*time.Minute, "the operator reads the new certificate", func() (bool, string) {
		require.NoError(t, c.askWebhooks(t, namespace))
		return c.certificatesRead(t) > loaded, "it has not"
	})
	require.NoError(t, c.askWebhooks(t, namespace))
	c.requireCAEverywhere(t)

	server, roots := parse(t, c.certificate(t, "tls.crt")), x509.NewCertPool()
	roots.AddCert(parse(t, c.certificate(t, "ca.crt")))
	_, err := server.Verify(x509.VerifyOptions{Roots: roots})
	require.NoError(t, err, "signed by the new CA")
	require.Greater(t, time.Until(server.NotAfter), 300*24*time.Hour)
}

// endTomorrow is the same CA, with a certificate that ends in a day.
func endTomorrow(t *testing.T, cert, key []byte) []byte {
	t.Helper()
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	ca := parse(t, cert)
	ca.NotAfter = time.Now().Add(24 * time.Hour)
	again, err := x509.CreateCertificate(rand.Reader, ca, ca, ca.PublicKey, pair.PrivateKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: again})
}

func parse(t *testing.T, certificate []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certificate)
	require.NotNil(t, block)
	parsed, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return parsed
}

// certificate is one key of the webhooks' secret.
func (c *cluster) certificate(t *testing.T, key string) []byte {
	t.Helper()
	secret := c.get(t, secretKind, operatorNamespace, operatorSecret)
	text, _, _ := unstructured.NestedString(secret.Object, "data", key)
	decoded, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	require.NotEmpty(t, decoded)
	return decoded
}

// certificatesRead counts how often the operator has read another one.
func (c *cluster) certificatesRead(t *testing.T) int {
	t.Helper()
	return strings.Count(c.operatorLog(t), "Updated current TLS certificate")
}

// nudgeOperator changes the operator's pod, at which its node looks at the
// secrets of the pod, and not only within the next minute.
func (c *cluster) nudgeOperator(t *testing.T) {
	t.Helper()
	pods, err := c.typed.CoreV1().Pods(operatorNamespace).List(lasting(t), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=opentelemetry-operator"})
	require.NoError(t, err)
	for _, pod := range pods.Items {
		c.patch(t, kind("", "v1", "Pod"), operatorNamespace, pod.Name, `{"metadata":{"annotations":{"strake.test/look":"again"}}}`)
	}
}

// askWebhooks lets the operator fill in and judge an object that is not made.
func (c *cluster) askWebhooks(t *testing.T, namespace string) error {
	t.Helper()
	asked := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(plainCollector(namespace, "asked", "{}")), &asked.Object))
	resource, err := c.of(otelCollectorKind, namespace)
	require.NoError(t, err)
	made, err := resource.Create(lasting(t), asked, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	strategy, _, _ := unstructured.NestedString(made.Object, "spec", "upgradeStrategy")
	require.Equal(t, "automatic", strategy, "what the webhook fills in")
	return nil
}
