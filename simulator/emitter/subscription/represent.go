package subscription

import "time"

// A Representation is a subscription as the API shows it. Members that were not sent are not invented: only protocol,
// the booleans, what the server assigns and, for HTTPS, connectionDetails stand there unasked (T1).
type Representation struct {
	Links             map[string]Link `json:"_links,omitzero"`
	ID                string          `json:"id"`
	Environment       Reference       `json:"environment"`
	CreatedAt         string          `json:"createdAt,omitzero"`
	UpdatedAt         string          `json:"updatedAt,omitzero"`
	Name              string          `json:"name"`
	Enabled           bool            `json:"enabled"`
	Protocol          string          `json:"protocol"`
	HTTPEndpoint      *Endpoint       `json:"httpEndpoint,omitzero"`
	ConnectionDetails *Endpoint       `json:"connectionDetails,omitzero"`
	Format            string          `json:"format,omitzero"`
	FilterOptions     Filter          `json:"filterOptions"`
	VerifyTLS         bool            `json:"verifyTlsCertificates"`
	KeyPair           *Reference      `json:"tlsClientAuthKeyPair,omitzero"`
	PayloadOptions    *PayloadOptions `json:"payloadOptions,omitzero"`
}

// Link is a HAL link.
type Link struct {
	Href string `json:"href"`
}

// Reference names another resource.
type Reference struct {
	ID string `json:"id"`
}

// Endpoint is httpEndpoint or connectionDetails.
type Endpoint struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitzero"`
}

// Filter is filterOptions.
type Filter struct {
	ActionTypes     []string    `json:"includedActionTypes"`
	Applications    []Reference `json:"includedApplications,omitzero"`
	Populations     []Reference `json:"includedPopulations,omitzero"`
	Tags            []string    `json:"includedTags,omitzero"`
	ExposeIP        bool        `json:"ipAddressExposed"`
	ExposeUserAgent bool        `json:"userAgentExposed"`
}

// PayloadOptions is payloadOptions.
type PayloadOptions struct {
	Limit  *Limit         `json:"maximumPayloadLimit,omitzero"`
	Format *PayloadFormat `json:"payloadFormat,omitzero"`
}

// Limit is payloadOptions.maximumPayloadLimit.
type Limit struct {
	Type string `json:"type,omitzero"`
	Size *int   `json:"size,omitzero"`
}

// PayloadFormat is payloadOptions.payloadFormat.
type PayloadFormat struct {
	HTTPS *HTTPSFormat `json:"https,omitzero"`
	TCP   *TCPFormat   `json:"tcp,omitzero"`
}

// HTTPSFormat is payloadOptions.payloadFormat.https.
type HTTPSFormat struct {
	Format      string `json:"format,omitzero"`
	PrettyPrint *bool  `json:"prettyPrint,omitzero"`
}

// TCPFormat is payloadOptions.payloadFormat.tcp.
type TCPFormat struct {
	Format     string            `json:"format,omitzero"`
	Attributes map[string]string `json:"additionalAttributes,omitzero"`
}

// TimeFormat is how the API shows a time: RFC 3339 in UTC with milliseconds (S2).
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Represent shows s. Links are the API's to add.
func Represent(s Subscription) Representation {
	r := Representation{
		ID: s.ID, Environment: Reference{s.EnvironmentID}, CreatedAt: show(s.CreatedAt), UpdatedAt: show(s.UpdatedAt),
		Name: s.Name, Enabled: s.Enabled, Protocol: s.Protocol, Format: s.Format, VerifyTLS: s.VerifyTLS,
		FilterOptions: Filter{
			ActionTypes: s.ActionTypes, Applications: references(s.ApplicationIDs), Populations: references(s.PopulationIDs),
			Tags: s.Tags, ExposeIP: s.ExposeIP, ExposeUserAgent: s.ExposeUserAgent,
		},
		ConnectionDetails: &Endpoint{URL: s.URL, Headers: s.Headers},
	}
	if s.Protocol == HTTPS {
		r.HTTPEndpoint = &Endpoint{URL: s.URL, Headers: s.Headers}
	}
	if s.Sent.KeyPair {
		r.KeyPair = &Reference{s.KeyID}
	}
	if s.Sent.PayloadOptions {
		r.PayloadOptions = payloadOptions(s)
	}
	return r
}

func payloadOptions(s Subscription) *PayloadOptions {
	options := &PayloadOptions{}
	if s.Sent.Limit {
		options.Limit = &Limit{Type: s.LimitType}
		if s.Sent.LimitSize {
			options.Limit.Size = &s.LimitSize
		}
	}
	if !s.Sent.PayloadFormat {
		return options
	}
	options.Format = &PayloadFormat{}
	if s.Sent.HTTPS {
		options.Format.HTTPS = &HTTPSFormat{Format: s.PayloadFormat}
		if s.Sent.PrettyPrint {
			options.Format.HTTPS.PrettyPrint = &s.PrettyPrint
		}
	}
	if s.Sent.TCP {
		options.Format.TCP = &TCPFormat{Format: s.TCPFormat, Attributes: s.TCPAttributes}
	}
	return options
}

func references(ids []string) []Reference {
	if ids == nil {
		return nil
	}
	list := make([]Reference, len(ids))
	for i, id := range ids {
		list[i] = Reference{id}
	}
	return list
}

func show(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
