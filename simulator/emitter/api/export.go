package api

import (
	"encoding/pem"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// Media types of the public part of a key and of requests for a certificate (G1).
const (
	mediaCertificate = "application/x-x509-ca-cert"       // PEM, the whole chain
	mediaPKCS7       = "application/x-pkcs7-certificates" // DER
	mediaPKCS10      = "application/pkcs10"               // PEM
	mediaPEM         = "application/x-pem-file"           // PEM
	mediaJSON        = "application/json"
)

// content is a body that is no JSON.
type content struct {
	media string
	bytes []byte
}

// accepted returns which of the offered media types a request likes best, the first where it does not say.
func (r *request) accepted(offered ...string) string {
	best, quality := offered[0], -1.0
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		for _, candidate := range offered {
			if q > quality && strings.EqualFold(candidate, media) && q > 0 {
				best, quality = candidate, q
			}
		}
	}
	return best
}

// exported answers with the public part of a key or certificate as the client wants it, or with JSON.
func (r *request) exported(c directory.Certified, shown object) (response, error) {
	switch media := r.accepted(mediaJSON, mediaCertificate, mediaPKCS7); media {
	case mediaCertificate:
		var chain []byte
		for _, der := range c.Chain {
			chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		return response{http.StatusOK, content{media, chain}}, nil
	case mediaPKCS7:
		der, err := c.PKCS7()
		return response{http.StatusOK, content{media, der}}, err
	}
	return response{http.StatusOK, shown}, nil
}

func (a *API) exportSigningRequest(r *request) (response, error) {
	der, err := a.directory.SigningRequest(r.env, r.id)
	if err != nil {
		return response{}, err
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return response{http.StatusOK, content{r.accepted(mediaPKCS10, mediaPEM), file}}, nil
}

func (a *API) answerSigningRequest(r *request) (response, error) {
	if _, err := a.directory.GetKey(r.env, r.id); err != nil {
		return response{}, err
	}
	u, err := r.upload()
	if err != nil {
		return response{}, err
	}
	k, err := a.directory.AnswerSigningRequest(r.Context(), r.caller, r.env, r.id, u)
	return a.shownKey(r, http.StatusOK, k, err)
}

func (a *API) keyApplications(r *request) (response, error) {
	if _, err := a.directory.GetKey(r.env, r.id); err != nil {
		return response{}, err
	}
	return a.applicationsUsing(r, "keys")
}

func (a *API) certificateApplications(r *request) (response, error) {
	if _, err := a.directory.GetCertificate(r.env, r.id); err != nil {
		return response{}, err
	}
	return a.applicationsUsing(r, "certificates")
}

func (a *API) applicationsUsing(r *request, plural string) (response, error) {
	using, err := a.directory.ApplicationsUsing(r.env, r.id)
	if err != nil {
		return response{}, err
	}
	items := make([]object, len(using))
	for i, application := range using {
		items[i] = a.show(r, directory.Application, application)
	}
	self := r.environmentLink(plural, r.id, "applications")
	return response{http.StatusOK, collection(self, "applications", items, len(items))}, nil
}
