package directory

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	maxName       = 1024 // characters of a distinguished name
	maxAttributes = 32
)

// attributeTypes are the attributes of a distinguished name (RFC 4514, section 3, and RFC 5280, appendix A).
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8},
	"STREET": {2, 5, 4, 9}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "POSTALCODE": {2, 5, 4, 17},
	"UID": {0, 9, 2342, 19200300, 100, 1, 1}, "DC": {0, 9, 2342, 19200300, 100, 1, 25}, "EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1},
}

// parseName reads a distinguished name as RFC 4514 writes it, the most specific part first: CN=a,O=b,C=DE.
func parseName(text string) (pkix.RDNSequence, error) {
	if len(text) > maxName {
		return nil, fmt.Errorf("longer than %d characters", maxName)
	}
	var name pkix.RDNSequence
	for rest := text; ; {
		var set pkix.RelativeDistinguishedNameSET
		for {
			attribute, after, err := parseAttribute(rest)
			if err != nil {
				return nil, err
			}
			set = append(set, attribute)
			if len(set)+len(name) > maxAttributes {
				return nil, fmt.Errorf("more than %d attributes", maxAttributes)
			}
			if rest = after; !strings.HasPrefix(rest, "+") {
				break
			}
			rest = rest[1:]
		}
		name = append(name, set)
		if rest == "" {
			slices.Reverse(name) // a certificate begins with the least specific part
			return name, nil
		}
		rest = rest[1:]
	}
}

func parseAttribute(text string) (attribute pkix.AttributeTypeAndValue, rest string, err error) {
	key, value, found := strings.Cut(text, "=")
	kind, known := attributeTypes[strings.ToUpper(strings.TrimSpace(key))]
	if !found || !known {
		return attribute, "", fmt.Errorf("%q is no attribute of a name", strings.TrimSpace(key))
	}
	decoded, rest, err := parseValue(strings.TrimLeft(value, " "))
	if err != nil {
		return attribute, "", err
	}
	if decoded == "" {
		return attribute, "", fmt.Errorf("%s is empty", strings.TrimSpace(key))
	}
	return pkix.AttributeTypeAndValue{Type: kind, Value: decoded}, rest, nil
}

// parseValue reads up to the next separator that is not escaped.
func parseValue(text string) (value, rest string, err error) {
	var b strings.Builder
	kept := 0 // up to where trailing spaces are escaped
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ',' || c == '+':
			return trimmed(b.String(), kept), text[i:], nil
		case c == '\\' && i+1 < len(text) && strings.ContainsRune(` "#+,;<=>\`, rune(text[i+1])):
			i++
			b.WriteByte(text[i])
			kept = b.Len()
		case c == '\\':
			if i+3 > len(text) {
				return "", "", errors.New("an escape is cut off")
			}
			raw, err := hex.DecodeString(text[i+1 : i+3])
			if err != nil {
				return "", "", fmt.Errorf("%q is no escape", text[i:i+3])
			}
			b.Write(raw)
			i += 2
			kept = b.Len()
		case strings.IndexByte(`";<>`, c) >= 0 || c == 0:
			return "", "", fmt.Errorf("%q must be escaped", string(rune(c)))
		default:
			b.WriteByte(c)
		}
	}
	return trimmed(b.String(), kept), "", nil
}

func trimmed(value string, kept int) string {
	return value[:kept] + strings.TrimRight(value[kept:], " ")
}
