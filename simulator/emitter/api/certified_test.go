package api_test

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures/pki"
)

// form sends a multipart request; fields are name and value in turns, the file's name is "file".
func (w *world) form(path string, fields ...string) answer {
	w.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		if fields[i] != "file" {
			_ = writer.WriteField(fields[i], fields[i+1])
			continue
		}
		part, err := writer.CreateFormFile("file", "upload")
		if err != nil {
			w.Fatal(err)
		}
		_, _ = part.Write([]byte(fields[i+1]))
	}
	_ = writer.Close()
	return w.call("POST", path, body.String(), "Content-Type", writer.FormDataContentType())
}

func (w *world) identity(leaf pki.Leaf) *pki.Identity {
	w.Helper()
	authority, err := pki.NewAuthority("Test Root")
	if err != nil {
		w.Fatal(err)
	}
	identity, err := authority.Issue(leaf)
	if err != nil {
		w.Fatal(err)
	}
	return identity
}

func (w *world) pkcs12(leaf pki.Leaf, password string) string {
	w.Helper()
	file, err := w.identity(leaf).PKCS12(password)
	if err != nil {
		w.Fatal(err)
	}
	return string(file)
}

func (w *world) importKey(env, usage string) string {
	w.Helper()
	got := w.form(env+"/keys", "usageType", usage, "password", "p", "file", w.pkcs12(pki.Leaf{Name: "client", Client: true}, "p"))
	if got.status != 201 {
		w.Fatalf("import key: %d %s", got.status, got.body)
	}
	return got.get("id").Str
}

func (w *world) uploadCertificate(env string) string {
	w.Helper()
	authority, err := pki.NewAuthority("Private Root")
	if err != nil {
		w.Fatal(err)
	}
	got := w.form(env+"/certificates", "usageType", "SSL/TLS", "file", string(authority.PEM()))
	if got.status != 202 {
		w.Fatalf("upload certificate: %d %s", got.status, got.body)
	}
	return got.get("id").Str
}

func TestImportedKeyShowsWhatClientsNeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	file := w.pkcs12(pki.Leaf{Name: "client", Client: true, RSA: true, Intermediate: true}, "secret word")
	got := w.form(env+"/keys", "usageType", "OUTBOUND_MTLS", "password", "secret word", "file", file)
	if got.status != 201 {
		t.Fatal(got.status, got.body)
	}
	for path, want := range map[string]string{
		"name": `"client"`, "algorithm": `"RSA"`, "keyLength": `2048`, "usageType": `"OUTBOUND_MTLS"`, "default": `false`,
		"status": `"VALID"`, "environment.id": `"` + id(env) + `"`,
	} {
		if got.get(path).Raw != want {
			t.Errorf("%s is %s, want %s", path, got.get(path).Raw, want)
		}
	}
	for _, path := range []string{"id", "signatureAlgorithm", "subjectDN", "issuerDN", "serialNumber", "validityPeriod", "startsAt", "expiresAt", "createdAt"} {
		if !got.get(path).Exists() {
			t.Errorf("%s is missing: %s", path, got.body)
		}
	}
	if strings.Contains(strings.ToLower(got.body), "private") {
		t.Error("the private key is shown")
	}
	key := env + "/keys/" + got.get("id").Str
	if read := w.must(200, "GET", key, ""); read.body != got.body {
		t.Errorf("read %s", read.body)
	}
	if list := w.must(200, "GET", env+"/keys", ""); list.get("_embedded.keys.0.id").Str != got.get("id").Str {
		t.Error(list.body)
	}
	if put := w.must(200, "PUT", key, `{"default":true,"usageType":"SIGNING"}`); !put.get("default").Bool() || put.get("usageType").Str != "SIGNING" {
		t.Error(put.body)
	}
	w.must(204, "DELETE", key, "")
	w.refused(w.call("GET", key, ""), 404, "NOT_FOUND")
}

func TestKeyInUseIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	key := w.importKey(env, "OUTBOUND_MTLS")
	body, _ := sjson.Set(subscriptionBody, "tlsClientAuthKeyPair.id", key)
	made := w.must(201, "POST", env+"/subscriptions", body)
	if made.get("tlsClientAuthKeyPair.id").Str != key {
		t.Error(made.body)
	}
	refused := w.refused(w.call("DELETE", env+"/keys/"+key, ""), 400, "INVALID_DATA")
	if !strings.Contains(refused.get("message").Str, "The Key must not be in use") || refused.get("details.0.code").Str != "CONSTRAINT_VIOLATION" {
		t.Error(refused.body)
	}
	w.refused(w.call("PUT", env+"/keys/"+key, `{"default":false,"usageType":"SIGNING"}`), 400, "INVALID_DATA")
	w.must(200, "PUT", env+"/subscriptions/"+made.get("id").Str, subscriptionBody)
	w.must(204, "DELETE", env+"/keys/"+key, "")
}

func TestSubscriptionTakesOnlyAnOutboundKeyOfItsEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	for name, key := range map[string]string{
		"unknown": "44444444-4444-4444-8444-444444444444", "of another usage": w.importKey(env, "SIGNING"),
		"of another environment": w.importKey(w.environment(), "OUTBOUND_MTLS"),
	} {
		body, _ := sjson.Set(subscriptionBody, "tlsClientAuthKeyPair.id", key)
		body, _ = sjson.Delete(body, "name")
		got := w.refused(w.call("POST", env+"/subscriptions", body), 400, "INVALID_DATA")
		targets := got.get("details.#.target").Raw
		if targets != `["name","tlsClientAuthKeyPair.id"]` {
			t.Errorf("%s: targets %s", name, targets)
		}
	}
	if got := w.must(200, "GET", env+"/subscriptions", ""); got.get("size").Int() != 0 {
		t.Error("a refused subscription is stored")
	}
}

func TestBadKeysAndCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	hour := time.Hour
	expired := pki.Leaf{Name: "c", Client: true, NotBefore: time.Now().Add(-2 * hour), NotAfter: time.Now().Add(-hour)}
	early := pki.Leaf{Name: "c", Client: true, NotBefore: time.Now().Add(hour), NotAfter: time.Now().Add(2 * hour)}
	good := w.pkcs12(pki.Leaf{Name: "c", Client: true}, "p")
	for _, c := range []struct {
		name, path, target string
		fields             []string
	}{
		{"no usage", "keys", "usageType", []string{"password", "p", "file", good}},
		{"unknown usage", "keys", "usageType", []string{"usageType", "X", "password", "p", "file", good}},
		{"no file", "keys", "file", []string{"usageType", "SIGNING"}},
		{"wrong password", "keys", "password", []string{"usageType", "SIGNING", "password", "q", "file", good}},
		{"no PKCS12", "keys", "file", []string{"usageType", "SIGNING", "file", "hello"}},
		{"expired key", "keys", "file", []string{"usageType", "SIGNING", "password", "p", "file", w.pkcs12(expired, "p")}},
		{"key of tomorrow", "keys", "file", []string{"usageType", "SIGNING", "password", "p", "file", w.pkcs12(early, "p")}},
		{"no certificate", "certificates", "file", []string{"usageType", "SSL/TLS", "file", "hello"}},
		{"empty certificate", "certificates", "file", []string{"usageType", "SSL/TLS", "file", ""}},
		{"usage of a key", "certificates", "usageType", []string{"usageType", "OUTBOUND_MTLS", "file", string(w.identity(pki.Leaf{Name: "c", Client: true}).PEM())}},
		{"expired certificate", "certificates", "file", []string{"usageType", "SSL/TLS", "file", string(w.identity(expired).PEM())}},
		{"certificate of tomorrow", "certificates", "file", []string{"usageType", "SSL/TLS", "file", string(w.identity(early).PEM())}},
	} {
		got := w.refused(w.form(env+"/"+c.path, c.fields...), 400, "INVALID_DATA")
		if got.get("details.0.target").Str != c.target {
			t.Errorf("%s: %s", c.name, got.body)
		}
	}
	for _, plural := range []string{"keys", "certificates"} {
		if got := w.must(200, "GET", env+"/"+plural, ""); got.get("size").Int() != 0 {
			t.Errorf("refused %s are stored: %s", plural, got.body)
		}
	}
}

func TestCertificateIsListedReadAndDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	certificate := env + "/certificates/" + w.uploadCertificate(env)
	if got := w.must(200, "GET", certificate, ""); got.get("usageType").Str != "SSL/TLS" || got.get("algorithm").Str != "EC" || got.get("keyLength").Int() != 256 {
		t.Error(got.body)
	}
	if got := w.must(200, "GET", env+"/certificates", ""); got.get("_embedded.certificates.#").Int() != 1 {
		t.Error(got.body)
	}
	w.must(204, "DELETE", certificate, "")
	w.refused(w.call("GET", certificate, ""), 404, "NOT_FOUND")
}
