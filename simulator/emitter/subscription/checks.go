package subscription

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

func required(path string) func(Rules, Draft) {
	return func(_ Rules, d Draft) { d.Body.Required(path) }
}

func nameRequired(_ Rules, d Draft) { d.Body.Required("name") }

func nameNotEmpty(_ Rules, d Draft) {
	if d.Body.Sent("name") && strings.TrimSpace(d.Name) == "" {
		d.empty("name")
	}
}

func typesRequired(_ Rules, d Draft) {
	if d.Body.Sent("filterOptions") {
		d.Body.Required("filterOptions.includedActionTypes")
		return
	}
	d.Body.Required("filterOptions")
}

func typesNotEmpty(_ Rules, d Draft) {
	const path = "filterOptions.includedActionTypes"
	if d.ActionTypes != nil && len(d.ActionTypes) == 0 {
		d.empty(path)
	}
	for i, name := range d.ActionTypes {
		if strings.TrimSpace(name) == "" {
			d.empty(fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

func protocolKnown(_ Rules, d Draft) { d.oneOf("protocol", d.Protocol, HTTPS, TCPIP) }

func formatKnown(r Rules, d Draft) { d.oneOf("format", d.Format, r.Formats...) }

func tagsKnown(_ Rules, d Draft) {
	for i, tag := range d.Tags {
		if tag != AdminIdentityEvent {
			d.refuse(fmt.Sprintf("filterOptions.includedTags[%d]", i), body.InvalidValue, "The tag is not known.",
				&body.Inner{AllowedValues: []string{AdminIdentityEvent}})
		}
	}
}

func idsLimited(r Rules, d Draft) {
	for _, filter := range []struct {
		path string
		ids  []string
	}{{"filterOptions.includedApplications", d.ApplicationIDs}, {"filterOptions.includedPopulations", d.PopulationIDs}} {
		if len(filter.ids) > r.MaxIDs {
			d.refuse(filter.path, body.SizeLimitExceeded, fmt.Sprintf("At most %d ids are allowed.", r.MaxIDs),
				&body.Inner{MaximumValue: &r.MaxIDs})
		}
	}
}

func limitTypeKnown(_ Rules, d Draft) {
	const path = "payloadOptions.maximumPayloadLimit"
	d.oneOf(path+".type", d.LimitType, EventsPerPayload, KBPerPayload)
	if d.Sent.LimitSize {
		d.Body.Required(path + ".type")
	}
}

func limitSizeRange(r Rules, d Draft) {
	sizes := r.sizes(d.LimitType)
	known := d.LimitType == EventsPerPayload || d.LimitType == KBPerPayload
	if !known || !d.Sent.LimitSize || sizes.Min <= d.LimitSize && d.LimitSize <= sizes.Max {
		return
	}
	d.refuse("payloadOptions.maximumPayloadLimit.size", body.OutOfRange,
		fmt.Sprintf("The size must be between %d and %d.", sizes.Min, sizes.Max),
		&body.Inner{RangeMinimumValue: &sizes.Min, RangeMaximumValue: &sizes.Max})
}

func payloadFormatsKnown(_ Rules, d Draft) {
	d.oneOf("payloadOptions.payloadFormat.https.format", d.PayloadFormat, JSONArray, NDJSON)
	d.oneOf("payloadOptions.payloadFormat.tcp.format", d.TCPFormat, JSONDoc, RFCLogline)
}

func prettyPrintArray(_ Rules, d Draft) {
	if d.PrettyPrint && d.PayloadFormat != JSONArray {
		d.conflict("payloadOptions.payloadFormat.https.prettyPrint", "Only the format JSON_ARRAY can be pretty-printed.")
	}
}

func attributesLogline(_ Rules, d Draft) {
	if d.TCPAttributes != nil && d.TCPFormat != RFCLogline {
		d.conflict("payloadOptions.payloadFormat.tcp.additionalAttributes",
			"Additional attributes need the format RFC_LOGLINE.")
	}
}

func keyIDRequired(_ Rules, d Draft) {
	if d.Sent.KeyPair && d.KeyID == "" {
		d.refuse("tlsClientAuthKeyPair.id", body.RequiredValue, "The id of the key is required.", nil)
	}
}

func keyNeedsVerification(_ Rules, d Draft) {
	if d.Sent.KeyPair && d.Body.Sent("verifyTlsCertificates") && !d.VerifyTLS {
		d.conflict("tlsClientAuthKeyPair.id", "A client key needs verifyTlsCertificates to be true.")
	}
}

func (d Draft) refuse(target, code, message string, inner *body.Inner) {
	d.Body.Report(Problem{Code: code, Target: target, Message: message, Inner: inner})
}

func (d Draft) empty(target string) {
	d.refuse(target, body.EmptyValue, "The value must not be empty.", nil)
}

func (d Draft) conflict(target, message string) {
	d.refuse(target, body.ConstraintViolation, message, nil)
}

func (d Draft) oneOf(target, value string, allowed ...string) {
	if d.Body.Sent(target) && !slices.Contains(allowed, value) {
		d.refuse(target, body.InvalidValue, "The value is not one of the allowed values.",
			&body.Inner{AllowedValues: allowed})
	}
}
