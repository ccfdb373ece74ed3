package receiver

import (
	"testing"

	"github.com/tidwall/gjson"
)

// Every route stands in the OpenAPI document.
func TestRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	document, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	described := gjson.GetBytes(document, "paths").Map()
	for path := range new(Receiver).routes() {
		if _, ok := described[path]; !ok {
			t.Errorf("%s is not described", path)
		}
	}
}
