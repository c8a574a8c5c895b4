package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

var names = []string{"hooks.sea.svc", "hooks.sea.svc.cluster.local"}

func newIssuer() issuer {
	return issuer{Names: names, Validity: 100 * time.Hour, CAValidity: 1000 * time.Hour, RenewBefore: 10 * time.Hour}
}

// trusted tells whether an API server that has the CAs of one secret accepts
// the server's certificate of another.
func trusted(t *testing.T, ca, server map[string][]byte, at time.Time) bool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca[keyCA]) {
		t.Fatal("no CA in the bundle")
	}
	block, _ := pem.Decode(server[keyServer])
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: at}); err != nil {
			return false
		}
	}
	return true
}

func renew(t *testing.T, data map[string][]byte, at time.Time, want bool) map[string][]byte {
	t.Helper()
	next, renewed, err := newIssuer().renew(data, at)
	if err != nil {
		t.Fatal(err)
	}
	if renewed != want {
		t.Fatalf("renewed: %t, want %t", renewed, want)
	}
	return next
}

func TestCertificatesAreRenewedInTime(t *testing.T) {
	start := time.Now()
	first := renew(t, nil, start, true)
	if !trusted(t, first, first, start) {
		t.Fatal("the first certificate is not trusted")
	}
	renew(t, first, start.Add(89*time.Hour), false)

	later := start.Add(91 * time.Hour)
	second := renew(t, first, later, true)
	if string(second[keyCA]) != string(first[keyCA]) {
		t.Fatal("a new certificate needs no new CA")
	}
	if !trusted(t, first, second, later) || !trusted(t, second, first, later) {
		t.Fatal("the same CA, but one certificate is not trusted")
	}

	end := start.Add(991 * time.Hour)
	third := renew(t, second, end, true)
	if !trusted(t, third, third, end) {
		t.Fatal("the certificate of the new CA is not trusted")
	}
	renewable := renew(t, second, start.Add(980*time.Hour), true)
	if !trusted(t, third, renewable, end) {
		t.Fatal("servers that have not read the new certificate are not trusted any more")
	}
	renew(t, third, end.Add(time.Hour), false)
}

func TestBrokenSecretsAreMadeAnew(t *testing.T) {
	now := time.Now()
	good := renew(t, nil, now, true)
	for _, key := range []string{keyCA, keyCAKey, keyServer, keyServerKey} {
		broken := map[string][]byte{keyCA: good[keyCA], keyCAKey: good[keyCAKey], keyServer: good[keyServer], keyServerKey: good[keyServerKey]}
		broken[key] = []byte("nonsense")
		next := renew(t, broken, now, true)
		if !trusted(t, next, next, now) {
			t.Fatalf("not trusted after %s was broken", key)
		}
	}
}

func object(apiVersion, kind, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetName(name)
	return u
}

func TestTargetsAreTold(t *testing.T) {
	hook := func() map[string]any {
		return map[string]any{"name": "h", "clientConfig": map[string]any{"service": map[string]any{"name": "hooks"}}}
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "sea", Name: "cert"}}
	objects := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme(),
		object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "check", map[string]any{"webhooks": []any{hook(), hook()}}),
		object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "boats.sea", map[string]any{
			"spec": map[string]any{"conversion": map[string]any{"webhook": map[string]any{"clientConfig": map[string]any{}}}}}),
	)
	o, err := parse([]string{"-secret=sea/cert", "-dns-name=" + names[0], "-validating-webhook=check", "-crd=boats.sea", "-api-service=v1.sea"})
	if err != nil {
		t.Fatal(err)
	}
	r := &o.rotator
	r.Secrets, r.Objects = fake.NewClientset(secret), objects

	if err := r.reconcile(t.Context()); err == nil || r.Ready() {
		t.Fatalf("ready without the APIService (%v)", err)
	}
	if _, err := objects.Resource(kinds[3].resource).Create(t.Context(),
		object("apiregistration.k8s.io/v1", "APIService", "v1.sea", map[string]any{"spec": map[string]any{"group": "sea"}}), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := r.reconcile(t.Context()); err != nil || !r.Ready() {
		t.Fatalf("not ready: %v", err)
	}

	written, err := r.Secrets.CoreV1().Secrets("sea").Get(t.Context(), "cert", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := base64.StdEncoding.EncodeToString(written.Data[keyCA])
	check, err := objects.Resource(kinds[0].resource).Get(t.Context(), "check", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	webhooks, _, _ := unstructured.NestedSlice(check.Object, "webhooks")
	for _, w := range webhooks {
		if got, _, _ := unstructured.NestedString(w.(map[string]any), "clientConfig", "caBundle"); got != want {
			t.Fatalf("a webhook has the CA %q", got)
		}
	}
	crd, err := objects.Resource(kinds[2].resource).Get(t.Context(), "boats.sea", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := unstructured.NestedString(crd.Object, "spec", "conversion", "webhook", "clientConfig", "caBundle"); got != want {
		t.Fatalf("the CRD has the CA %q", got)
	}

	objects.ClearActions()
	if err := r.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, action := range objects.Actions() {
		if action.GetVerb() != "get" {
			t.Fatalf("a second look did %s %s", action.GetVerb(), action.GetResource().Resource)
		}
	}
}

// TestTargetsAreToldBeforeTheServer: whoever reads a renewed secret at once shows a
// certificate that is trusted already.
func TestTargetsAreToldBeforeTheServer(t *testing.T) {
	old := renew(t, nil, time.Now().Add(-991*time.Hour), true)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "sea", Name: "cert"}, Data: old}
	objects := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme(),
		object("apiregistration.k8s.io/v1", "APIService", "v1.sea", map[string]any{"spec": map[string]any{"group": "sea"}}))
	o, err := parse([]string{"-secret=sea/cert", "-dns-name=" + names[0], "-api-service=v1.sea"})
	if err != nil {
		t.Fatal(err)
	}
	secrets := fake.NewClientset(secret)
	var told []byte
	secrets.PrependReactor("update", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		written := action.(clienttesting.UpdateAction).GetObject().(*corev1.Secret)
		service, err := objects.Resource(kinds[3].resource).Get(t.Context(), "v1.sea", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ca, _, _ := unstructured.NestedString(service.Object, "spec", "caBundle")
		told, _ = base64.StdEncoding.DecodeString(ca)
		if string(told) != string(written.Data[keyCA]) {
			t.Error("the secret is written before the target knows its CA")
		}
		return false, nil, nil
	})
	o.rotator.Secrets, o.rotator.Objects = secrets, objects
	if err := o.rotator.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(told) == 0 {
		t.Fatal("nothing was renewed")
	}
}

func TestLooksAreCloseEnough(t *testing.T) {
	for validity, want := range map[string]time.Duration{"8760h": time.Hour, "4h": 30 * time.Minute} {
		o, err := parse([]string{"-secret=sea/cert", "-dns-name=hooks", "-api-service=v1.sea", "-validity=" + validity})
		if err != nil {
			t.Fatal(err)
		}
		if o.rotator.Interval != want {
			t.Fatalf("a certificate of %s is looked at every %s", validity, o.rotator.Interval)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-dns-name=a"},
		{"-secret=a/b"},
		{"-secret=ab", "-dns-name=a"},
		{"-secret=a/b", "-dns-name=a", "-validity=1h", "-renew-before=1h"},
		{"-secret=a/b", "-dns-name=a", "-log-format=xml"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("accepted: %v", args)
		}
	}
}
