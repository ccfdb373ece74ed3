package directory

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"testing"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

func TestDistinguishedNameIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CN=a":                          "CN=a",
		"cn=a, o=b ,C=DE":               "CN=a,O=b,C=DE",
		`CN=a\, b\+c\=d,O=\"e\"`:        `CN=a\, b\+c=d,O=\"e\"`,
		`CN=\C3\A9\20,O=x`:              `CN=é\ ,O=x`,
		"CN=é ü":                        "CN=é ü",
		"CN=a+OU=b,DC=example":          "CN=a+OU=b,0.9.2342.19200300.100.1.25=#13076578616d706c65",
		"EMAILADDRESS=a@b.example,UID=": "",
		"CN=a,":                         "", "CN": "", "=a": "", "CN=a,,O=b": "", `CN=\`: "", `CN=\zz`: "", `CN="a"`: "", "XX=a": "", "": "", "CN=a;O=b": "", "CN=\x00": "",
	} {
		name, err := parseName(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is read as %s", text, name)
			}
			continue
		}
		if err != nil || name.String() != want {
			t.Errorf("%q is read as %s (%v), want %s", text, name, err, want)
		}
	}
}

// FuzzParseName holds for every text: it is refused, or it is a name that a certificate can have.
func FuzzParseName(f *testing.F) {
	for _, text := range []string{"CN=a,O=b", `CN=\C3\A9+OU=x\,y`, `CN=\ a\ `, "C=,", `CN=a\`, "UID=1+2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := parseName(text)
		if err == nil && len(name) == 0 {
			t.Fatalf("%q is a name without attributes", text)
		}
		readName(body.Object{}, "subjectDN", text)
	})
}

// FuzzReadCertificates holds for every file: it has certificates, or a problem with a target.
func FuzzReadCertificates(f *testing.F) {
	f.Add([]byte("-----BEGIN PKCS7-----\nMIAGCSqGSIb3DQEHAqCAMIACAQExAA==\n-----END PKCS7-----\n"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0x03, 0x02, 0x01, 0x01}}))
	signed, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: []byte{0x30, 0x00}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 1000))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, problems := readCertificates(Upload{File: file})
		if len(problems) == 0 && (len(c.chain) == 0 || c.Leaf() == nil) {
			t.Fatal("neither certificates nor problems")
		}
		for _, p := range problems {
			if p.Target == "" || p.Code == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}
