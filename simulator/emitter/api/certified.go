package api

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"math"
	"net/http"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func (a *API) listKeys(r *request) (response, error) {
	keys, err := a.directory.ListKeys(r.env)
	if err != nil {
		return response{}, err
	}
	items := make([]object, len(keys))
	for i, k := range keys {
		items[i] = a.key(r, k)
	}
	return response{http.StatusOK, collection(r.environmentLink("keys"), "keys", items, len(items))}, nil
}

// createKey imports a key from a form, or generates one as JSON describes it (G1).
func (a *API) createKey(r *request) (response, error) {
	media, err := r.media("application/json", "multipart/form-data")
	if err != nil {
		return response{}, err
	}
	if media == "application/json" {
		o, err := r.object()
		if err != nil {
			return response{}, err
		}
		k, err := a.directory.GenerateKey(r.Context(), r.caller, r.env, o)
		return a.shownKey(r, http.StatusCreated, k, err)
	}
	u, err := r.upload()
	if err != nil {
		return response{}, err
	}
	k, err := a.directory.ImportKey(r.Context(), r.caller, r.env, u)
	return a.shownKey(r, http.StatusCreated, k, err)
}

func (a *API) getKey(r *request) (response, error) {
	k, err := a.directory.GetKey(r.env, r.id)
	if err != nil {
		return response{}, err
	}
	return r.exported(k.Certified, a.key(r, k))
}

func (a *API) updateKey(r *request) (response, error) {
	if _, err := a.directory.GetKey(r.env, r.id); err != nil {
		return response{}, err
	}
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	k, err := a.directory.UpdateKey(r.Context(), r.caller, r.env, r.id, o)
	return a.shownKey(r, http.StatusOK, k, err)
}

func (a *API) deleteKey(r *request) (response, error) {
	return deleted(a.directory.DeleteKey(r.Context(), r.caller, r.env, r.id))
}

func (a *API) listCertificates(r *request) (response, error) {
	certificates, err := a.directory.ListCertificates(r.env)
	if err != nil {
		return response{}, err
	}
	items := make([]object, len(certificates))
	for i, c := range certificates {
		items[i] = a.certificate(r, c)
	}
	return response{http.StatusOK, collection(r.environmentLink("certificates"), "certificates", items, len(items))}, nil
}

// uploadCertificate answers 202, as the platform does (G1), though the certificate is in use when the answer goes out.
func (a *API) uploadCertificate(r *request) (response, error) {
	u, err := r.upload()
	if err != nil {
		return response{}, err
	}
	c, err := a.directory.UploadCertificate(r.Context(), r.caller, r.env, u)
	if err != nil {
		return response{}, err
	}
	return response{http.StatusAccepted, a.certificate(r, c)}, nil
}

func (a *API) getCertificate(r *request) (response, error) {
	c, err := a.directory.GetCertificate(r.env, r.id)
	if err != nil {
		return response{}, err
	}
	return r.exported(c.Certified, a.certificate(r, c))
}

func (a *API) deleteCertificate(r *request) (response, error) {
	return deleted(a.directory.DeleteCertificate(r.Context(), r.caller, r.env, r.id))
}

func (a *API) shownKey(r *request, status int, k directory.Key, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return response{status, a.key(r, k)}, nil
}

func (a *API) key(r *request, k directory.Key) object {
	shown := a.certified(r, "keys", k.Certified)
	shown["default"] = k.Default
	return shown
}

func (a *API) certificate(r *request, c directory.Certificate) object {
	shown := a.certified(r, "certificates", c.Certified)
	shown["default"] = false
	return shown
}

// certified shows what a key and a certificate have in common; a private key is never shown.
func (a *API) certified(r *request, plural string, c directory.Certified) object {
	leaf := c.Leaf()
	algorithm, length := strength(c)
	return object{
		"_links": object{
			"self":        href(r.environmentLink(plural, c.ID)),
			"environment": href(r.environmentLink()),
		},
		"id":                 c.ID,
		"name":               c.Name(),
		"environment":        object{"id": c.EnvironmentID},
		"organization":       object{"id": directory.OrganizationID},
		"usageType":          c.UsageType,
		"algorithm":          algorithm,
		"keyLength":          length,
		"signatureAlgorithm": directory.SignatureAlgorithm(leaf),
		"subjectDN":          c.Subject(),
		"issuerDN":           c.Issuer(),
		"serialNumber":       leaf.SerialNumber,
		"startsAt":           leaf.NotBefore.UTC().Format(subscription.TimeFormat),
		"expiresAt":          leaf.NotAfter.UTC().Format(subscription.TimeFormat),
		"validityPeriod":     int(math.Ceil(leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24)),
		"status":             validity(leaf.NotBefore, leaf.NotAfter, a.opts.Now()),
		"createdAt":          c.CreatedAt.UTC().Format(subscription.TimeFormat),
	}
}

// strength names the algorithm of a key and its length in bits.
func strength(c directory.Certified) (string, int) {
	switch key := c.Leaf().PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "EC", key.Curve.Params().BitSize
	}
	return "", 0
}

func validity(from, until, now time.Time) string {
	switch {
	case now.Before(from):
		return "NOT_YET_VALID"
	case now.After(until):
		return "EXPIRED"
	}
	return "VALID"
}
