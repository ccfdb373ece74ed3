// Package page is the receiver simulator's page for people: what arrives,
// live, and the means to make endpoints and have them misbehave.
//
// The page is plain HTML, CSS and JavaScript modules, embedded as they are:
// no build step, no asset from elsewhere, so that it works offline. It reads
// and steers through the inspection API only, as any other client would.
//
// What must not enter: deliveries, endpoints and other state. Nothing served
// here depends on what the receiver holds or on who asks.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed assets
var assets embed.FS

// policy lets the page run its own scripts and styles and talk to its own
// origin, and nothing else: no inline script, no foreign asset, no frame
// around it, and no text that becomes markup. What a hook receives is shown
// here, so that a hostile delivery must find nothing that would execute it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Handler serves the page at / and its parts below /assets/. It leaves it to the
// caller who may see them.
func Handler() http.Handler {
	parts := map[string]part{}
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assets.ReadFile(name)
		parts[served(name)] = newPart(name, content)
		return err
	})
	if err != nil {
		panic(err) // the files are in the binary: reading them cannot fail
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := parts[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		p.ServeHTTP(w, r)
	})
}

// served is the path at which a file of assets is served.
func served(name string) string {
	if name == "assets/index.html" {
		return "/"
	}
	return "/" + name
}

// part is one file of the page.
type part struct {
	content     []byte
	contentType string
	entityTag   string
}

func newPart(name string, content []byte) part {
	sum := sha256.Sum256(content)
	return part{
		content: content, contentType: typeOf(name),
		entityTag: `"` + hex.EncodeToString(sum[:16]) + `"`,
	}
}

// typeOf is the media type of a file. The machine's own table of types is not
// asked for those that matter: a browser runs a module only if it is called
// JavaScript.
func typeOf(name string) string {
	switch extension := path.Ext(name); extension {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(extension)
	}
}

func (p part) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Another version of the page may be served at the same address by the
	// next process, so a browser asks each time, and is told in a word.
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", p.entityTag)
	if r.Header.Get("If-None-Match") == p.entityTag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.content)
	}
}
