package subscription

import (
	"errors"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

// A Problem is one thing wrong with a request.
type Problem = body.Problem

// Parse reads the body of a create or replace request under the documented rules. It returns the subscription without
// what the server assigns (id, environment, times, start), or every problem of the body, each with a target; a body
// that is no JSON object has one problem with the target "$". Members it does not know are ignored (V9).
func Parse(raw []byte) (Subscription, []Problem) { return Default().Parse(raw) }

// Parse is the package's Parse under the rules r.
func (r Rules) Parse(raw []byte) (Subscription, []Problem) {
	document, err := body.Parse(raw)
	if err != nil {
		var syntax *body.SyntaxError
		errors.As(err, &syntax)
		return Subscription{}, []Problem{{Code: body.InvalidValue, Target: "$", Message: syntax.Error()}}
	}
	return r.Read(document)
}

// Read is Parse of a body that has already been decoded.
func (r Rules) Read(document body.Object) (Subscription, []Problem) {
	draft := Draft{Subscription: read(document), Body: document}
	for _, check := range r.Checks {
		check.Run(r, draft)
	}
	if found := document.Problems(); len(found) > 0 {
		return Subscription{}, found
	}
	return r.complete(draft.Subscription), nil
}

// read takes the members out, reporting only those of the wrong JSON type.
func read(o body.Object) Subscription {
	s := Subscription{
		Name: o.String("name"), Enabled: o.Bool("enabled"), Protocol: o.String("protocol"),
		Format: o.String("format"), VerifyTLS: o.Bool("verifyTlsCertificates"),
	}
	if !o.Sent("protocol") {
		s.Protocol = HTTPS
	}
	endpoint, connection := o.Object("httpEndpoint"), o.Object("connectionDetails")
	url, headers := endpoint.String("url"), endpoint.StringMap("headers")
	connectionURL, connectionHeaders := connection.String("url"), connection.StringMap("headers")
	if s.Protocol == TCPIP {
		url, headers = connectionURL, connectionHeaders
	}
	s.URL, s.Headers = url, headers

	filter := o.Object("filterOptions")
	s.ActionTypes = filter.Strings("includedActionTypes")
	s.ApplicationIDs = filter.IDs("includedApplications")
	s.PopulationIDs = filter.IDs("includedPopulations")
	s.Tags = filter.Strings("includedTags")
	s.ExposeIP, s.ExposeUserAgent = filter.Bool("ipAddressExposed"), filter.Bool("userAgentExposed")

	s.KeyID = o.Object("tlsClientAuthKeyPair").String("id")
	s.Sent.KeyPair = o.Sent("tlsClientAuthKeyPair")
	readPayload(o.Object("payloadOptions"), &s)
	s.Sent.PayloadOptions = o.Sent("payloadOptions")
	return s
}

func readPayload(options body.Object, s *Subscription) {
	limit := options.Object("maximumPayloadLimit")
	s.LimitType, s.LimitSize = limit.String("type"), limit.Int("size")
	s.Sent.Limit, s.Sent.LimitSize = options.Sent("maximumPayloadLimit"), limit.Sent("size")

	format := options.Object("payloadFormat")
	s.Sent.PayloadFormat = options.Sent("payloadFormat")
	https := format.Object("https")
	s.PayloadFormat, s.PrettyPrint = https.String("format"), https.Bool("prettyPrint")
	s.Sent.HTTPS, s.Sent.PrettyPrint = format.Sent("https"), https.Sent("prettyPrint")
	tcp := format.Object("tcp")
	s.TCPFormat, s.TCPAttributes = tcp.String("format"), tcp.StringMap("additionalAttributes")
	s.Sent.TCP = format.Sent("tcp")
}

// complete fills what is implied but never shown: a limit without a size is its range's maximum.
func (r Rules) complete(s Subscription) Subscription {
	if s.LimitType != "" && !s.Sent.LimitSize {
		s.LimitSize = r.sizes(s.LimitType).Max
	}
	return s
}
