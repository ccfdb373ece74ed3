package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures/pki"
)

const generateBody = `{"name":"Made","algorithm":"EC","keyLength":256,"signatureAlgorithm":"SHA256withECDSA",
	"subjectDN":"CN=made, OU=Tests, O=Hookproof\\, Inc., C=DE","usageType":"OUTBOUND_MTLS","validityPeriod":365}`

func TestGeneratedKeyIsAsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	for _, c := range []struct {
		algorithm string
		length    int
		signature string
	}{
		{"RSA", 2048, "SHA256withRSA"}, {"RSA", 3072, "SHA512withRSA"}, {"EC", 224, "SHA256withECDSA"},
		{"EC", 256, "SHA384withECDSA"}, {"EC", 384, "SHA384withECDSA"}, {"EC", 521, "SHA512withECDSA"},
	} {
		body := fmt.Sprintf(`{"name":"Made","algorithm":%q,"keyLength":%d,"signatureAlgorithm":%q,"subjectDN":"CN=made,O=H","usageType":"SIGNING","validityPeriod":30,"serialNumber":9007199254740993}`,
			c.algorithm, c.length, c.signature)
		made := w.must(201, "POST", env+"/keys", body)
		for path, want := range map[string]string{
			"name": `"Made"`, "algorithm": fmt.Sprintf("%q", c.algorithm), "keyLength": fmt.Sprint(c.length), "subjectDN": `"CN=made,O=H"`,
			"issuerDN": `"CN=made,O=H"`, "signatureAlgorithm": fmt.Sprintf("%q", c.signature), "validityPeriod": "30", "usageType": `"SIGNING"`,
			"default": "false", "status": `"VALID"`, "serialNumber": "9007199254740993",
		} {
			if got := made.get(path).Raw; got != want {
				t.Errorf("%s %d: %s is %s, want %s", c.algorithm, c.length, path, got, want)
			}
		}
		if read := w.must(200, "GET", env+"/keys/"+made.get("id").Str, ""); read.body != made.body {
			t.Error(read.body)
		}
		leaf := w.exported(env + "/keys/" + made.get("id").Str)
		switch key := leaf.PublicKey.(type) {
		case *rsa.PublicKey:
			if c.algorithm != "RSA" || key.N.BitLen() != c.length {
				t.Error("RSA", key.N.BitLen())
			}
		case *ecdsa.PublicKey:
			if c.algorithm != "EC" || key.Curve.Params().BitSize != c.length {
				t.Error("EC", key.Curve.Params().BitSize)
			}
		}
		if err := leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
			t.Error(err)
		}
	}
}

// exported reads the public part of a key or certificate as PEM.
func (w *world) exported(path string) *x509.Certificate {
	w.Helper()
	got := w.must(200, "GET", path, "", "Accept", "application/x-x509-ca-cert")
	block, _ := pem.Decode([]byte(got.body))
	if got.header.Get("Content-Type") != "application/x-x509-ca-cert" || block == nil {
		w.Fatalf("%v %s", got.header, got.body)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		w.Fatal(err)
	}
	return leaf
}

func TestPublicPartIsExportedAsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	key := env + "/keys/" + w.must(201, "POST", env+"/keys", generateBody).get("id").Str
	leaf := w.exported(key)
	if got := leaf.Subject; got.CommonName != "made" || got.Organization[0] != "Hookproof, Inc." || got.OrganizationalUnit[0] != "Tests" || got.Country[0] != "DE" {
		t.Errorf("%v", got)
	}
	certificate := env + "/certificates/" + w.uploadCertificate(env)
	for _, path := range []string{key, certificate} {
		got := w.must(200, "GET", path, "", "Accept", "application/x-pkcs7-certificates, application/json;q=0.5")
		read, err := pkcs7.Parse([]byte(got.body))
		if err != nil || got.header.Get("Content-Type") != "application/x-pkcs7-certificates" || !read.Certificates[0].Equal(w.exported(path)) {
			t.Errorf("%v %v", got.header, err)
		}
		for _, accept := range []string{"application/json", "*/*", "text/plain", "application/x-pkcs7-certificates;q=0.1, application/json"} {
			if got := w.must(200, "GET", path, "", "Accept", accept); got.get("id").Str != id(path) {
				t.Errorf("%s: %v %s", accept, got.header, got.body)
			}
		}
	}
}

func TestCertificateThatAnswersARequestReplacesTheKeysOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	key := env + "/keys/" + w.must(201, "POST", env+"/keys", generateBody).get("id").Str
	for _, media := range []string{"application/pkcs10", "application/x-pem-file"} {
		if got := w.must(200, "GET", key+"/csr", "", "Accept", media); got.header.Get("Content-Type") != media {
			t.Error(got.header)
		}
	}
	block, _ := pem.Decode([]byte(w.must(200, "GET", key+"/csr", "").body))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		t.Fatal("no request")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil || request.Subject.CommonName != "made" {
		t.Fatal(err, request)
	}
	authority := w.identity(pki.Leaf{Name: "Issuing", Client: true})
	signer := authority.TLS()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "signed"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(nil, template, signer.Leaf, request.PublicKey, signer.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	got := w.form(key+"/csr", "file", file)
	if got.status != 200 || got.get("subjectDN").Str != "CN=signed" || got.get("issuerDN").Str != "CN=Issuing,O=hookproof" || got.get("name").Str != "Made" {
		t.Error(got.status, got.body)
	}
	foreign := w.refused(w.form(key+"/csr", "file", string(w.identity(pki.Leaf{Name: "x", Client: true}).PEM())), 400, "INVALID_DATA")
	if foreign.get("details.0.code").Str != "CONSTRAINT_VIOLATION" || w.must(200, "GET", key, "").get("serialNumber").Raw != "7" {
		t.Error(foreign.body)
	}
	events := w.journal.of(id(env))
	if last := events[len(events)-1]; last.Type != "KEY.UPDATED" {
		t.Errorf("%+v", last)
	}
}

func TestGeneratedKeyIsPresentedLikeAnImportedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	key := w.must(201, "POST", env+"/keys", generateBody).get("id").Str
	body, _ := sjson.Set(subscriptionBody, "tlsClientAuthKeyPair.id", key)
	w.must(201, "POST", env+"/subscriptions", body)
	refused := w.refused(w.call("DELETE", env+"/keys/"+key, ""), 400, "INVALID_DATA")
	if refused.get("message").Str != "The Key must not be in use" {
		t.Error(refused.body)
	}
}

func TestKeyThatAnApplicationNamesIsInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	key := env + "/keys/" + w.must(201, "POST", env+"/keys", generateBody).get("id").Str
	application := w.must(201, "POST", env+"/applications", fmt.Sprintf(`{"name":"S","enabled":true,"protocol":"SAML","type":"WEB_APP","idpSigning":{"key":{"id":%q}}}`, id(key))).get("id").Str
	if got := w.must(200, "GET", key+"/applications", ""); got.get("_embedded.applications.0.id").Str != application {
		t.Error(got.body)
	}
	w.refused(w.call("DELETE", key, ""), 400, "INVALID_DATA")
	w.must(204, "DELETE", env+"/applications/"+application, "")
	if got := w.must(200, "GET", key+"/applications", ""); got.get("size").Int() != 0 {
		t.Error(got.body)
	}
	w.must(204, "DELETE", key, "")
}

func TestOneKeyOfAUsageIsTheDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	first := env + "/keys/" + w.importKey(env, "SIGNING")
	second, other := env+"/keys/"+w.importKey(env, "SIGNING"), env+"/keys/"+w.importKey(env, "ENCRYPTION")
	for _, key := range []string{first, other, second} {
		usage := w.must(200, "GET", key, "").get("usageType").Str
		w.must(200, "PUT", key, fmt.Sprintf(`{"default":true,"usageType":%q}`, usage))
	}
	for key, want := range map[string]bool{first: false, second: true, other: true} {
		if got := w.must(200, "GET", key, "").get("default").Bool(); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

func TestCertificatesComeAsPKCS7Too(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	identity := w.identity(pki.Leaf{Name: "leaf", Client: true, Intermediate: true})
	var chain []byte
	for rest, block := identity.ChainPEM(), (*pem.Block)(nil); ; {
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		chain = append(block.Bytes, chain...) // the leaf last
	}
	der, err := pkcs7.DegenerateCertificate(chain)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"DER": string(der), "PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der})),
	} {
		got := w.form(env+"/certificates", "usageType", "SSL/TLS", "file", file)
		if got.status != 202 || got.get("subjectDN").Str != "CN=leaf,O=hookproof" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	refused := w.refused(w.form(env+"/certificates", "usageType", "SSL/TLS", "file", string(der[:len(der)-4])), 400, "INVALID_DATA")
	if refused.get("details.0.target").Str != "file" {
		t.Error(refused.body)
	}
}

func TestWeakCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, unusual, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key    crypto.Signer
		status int
	}{"RSA of 1024 bits": {short, 400}, "Ed25519": {unusual, 400}, "RSA of 2048 bits": {strong, 202}} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, c.key.Public(), c.key)
		if err != nil {
			t.Fatal(err)
		}
		got := w.form(env+"/certificates", "usageType", "SSL/TLS", "file", string(der))
		if got.status != c.status || c.status == 400 && (got.get("details.0.code").Str != "CONSTRAINT_VIOLATION" || got.get("details.0.target").Str != "file") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
