package transcript

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Body is the bytes of a request, a response or a delivery. Stored, it is a
// JSON string where the bytes are UTF-8, and {"base64": "…"} where they are
// not, so that what was sent can be read by eye and yet is kept exactly.
type Body []byte

// MarshalJSON writes the readable form where there is one.
func (b Body) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON reads both forms.
func (b *Body) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*b = Body(text)
		return nil
	}
	var coded struct {
		Base64 *[]byte `json:"base64"`
	}
	if err := json.Unmarshal(data, &coded); err != nil || coded.Base64 == nil {
		return fmt.Errorf("body is neither a string nor {\"base64\": …}")
	}
	*b = *coded.Base64
	return nil
}

// IsZero tells whether there is no body at all.
func (b Body) IsZero() bool { return len(b) == 0 }
