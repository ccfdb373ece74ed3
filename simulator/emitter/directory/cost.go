package directory

import (
	"encoding/asn1"
	"math/big"
)

const (
	// maxIterations is the most rounds of key derivation that a PKCS #12 file may ask for: tools write 2,000 to 600,000,
	// and five million take a few seconds.
	maxIterations = 5_000_000
	maxNesting    = 32
)

// costly says whether a PKCS #12 file asks for more than maxIterations rounds where that can be seen without the
// password. The count always stands in a sequence right after the salt, an octet string (RFC 7292, appendix C;
// RFC 8018, appendix A.2); no other structure of such a file has an integer there.
func costly(der []byte) bool { return costlyAt(der, 0) }

func costlyAt(der []byte, depth int) bool {
	salted := false
	for len(der) > 0 && depth < maxNesting {
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(der, &element)
		if err != nil {
			return false
		}
		plain := element.Class == asn1.ClassUniversal && !element.IsCompound
		octets := plain && element.Tag == asn1.TagOctetString
		switch {
		case element.IsCompound, octets && wraps(element.Bytes):
			if costlyAt(element.Bytes, depth+1) {
				return true
			}
		case salted && plain && element.Tag == asn1.TagInteger:
			if new(big.Int).SetBytes(element.Bytes).Cmp(big.NewInt(maxIterations)) > 0 {
				return true
			}
		}
		salted, der = octets, rest
	}
	return false
}

// wraps says whether an octet string holds one encoded value and nothing else.
func wraps(content []byte) bool {
	var element asn1.RawValue
	rest, err := asn1.Unmarshal(content, &element)
	return err == nil && len(rest) == 0 && element.IsCompound
}
