package body

// The platform's codes for one detail of a refused request (error schema of the official OpenAPI, O1).
const (
	ConstraintViolation = "CONSTRAINT_VIOLATION"
	EmptyValue          = "EMPTY_VALUE"
	InvalidFilter       = "INVALID_FILTER"
	InvalidParameter    = "INVALID_PARAMETER"
	InvalidValue        = "INVALID_VALUE"
	OutOfRange          = "OUT_OF_RANGE"
	RequiredValue       = "REQUIRED_VALUE"
	SizeLimitExceeded   = "SIZE_LIMIT_EXCEEDED"
	UniquenessViolation = "UNIQUENESS_VIOLATION"
)

// A Problem is one entry of the `details` of the platform's error body.
type Problem struct {
	Code    string `json:"code"`
	Target  string `json:"target,omitempty"` // JSON path of the member, "$" for the whole body
	Message string `json:"message"`
	Inner   *Inner `json:"innerError,omitempty"`
}

// Inner is the machine-readable part of a Problem; only the members that apply are set (keys of G1 and O1).
type Inner struct {
	RangeMinimumValue *int     `json:"rangeMinimumValue,omitempty"`
	RangeMaximumValue *int     `json:"rangeMaximumValue,omitempty"`
	MaximumValue      *int     `json:"maximumValue,omitempty"`
	AllowedPattern    string   `json:"allowedPattern,omitempty"`
	AllowedValues     []string `json:"allowedValues,omitempty"`
	ReferencedValues  []string `json:"referencedValues,omitempty"`
	ExistingID        string   `json:"existingId,omitempty"`
	QuotaLimit        *int     `json:"quotaLimit,omitempty"`

	SupportedAttributes []string `json:"supportedAttributes,omitempty"`
	SupportedOperators  []string `json:"supportedOperators,omitempty"`
}

// problems keeps the first problem of each target: a member of the wrong type is not also reported as empty.
type problems struct {
	list []Problem
	seen map[string]bool
}

func (p *problems) add(problem Problem) {
	if p.seen[problem.Target] {
		return
	}
	p.seen[problem.Target] = true
	p.list = append(p.list, problem)
}
