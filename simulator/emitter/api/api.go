// Package api serves the management API over HTTP: tokens, and everything under /v1. It turns requests into calls of
// the directory and results into the platform's representations and error bodies. What a resource is and whether a
// request is valid, is the directory's to know; delivery must not enter.
package api

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Options of the API. Bootstrap is required, the rest has defaults.
type Options struct {
	Bootstrap Client

	// PublicURL is what links begin with, "https://host:port", no path. Empty: the scheme and host of each request.
	PublicURL string

	// Now is the clock that tokens expire by; nil: time.Now. A clock that jumps expires the tokens it jumps over.
	Now func() time.Time

	// Log gets unexpected failures. nil: nothing is logged.
	Log *slog.Logger

	// TokenKey signs the access tokens. nil: one is made, and the tokens end with the process.
	TokenKey *TokenKey

	// Activities reads the stored events. nil: there are none.
	Activities Activities

	// Tester tests connections. nil: the API does not offer it.
	Tester Tester

	// TrustedProxies may say in X-Forwarded-For whom they forward for; of others the header is ignored.
	TrustedProxies []netip.Prefix

	Pieces Pieces // the zero value is the default
}

// A Client is an API client that may act in every environment.
type Client struct {
	EnvironmentID string // whose token endpoint it uses
	ID            string
	Secret        string
	Name          string // in audit events; empty: the ID
}

// Activities reads an environment's stored events, each as JSON with an id and a recordedAt, oldest first.
type Activities interface {
	// Activities yields the events with from <= recordedAt <= to; a zero time is no bound. It may yield others too.
	// After an error it yields nothing more.
	Activities(ctx context.Context, environment string, from, to time.Time) iter.Seq2[json.RawMessage, error]
}

// Subscriptions is where the API reads and changes subscriptions; a *directory.Directory is one. The methods' errors
// are those of the directory.
type Subscriptions interface {
	Subscriptions(environment string) []subscription.Subscription
	Subscription(environment, id string) (subscription.Subscription, bool)
	CreateSubscription(ctx context.Context, caller directory.Caller, environment string, o body.Object) (subscription.Subscription, error)
	ReplaceSubscription(ctx context.Context, caller directory.Caller, environment, id string, o body.Object) (subscription.Subscription, error)
	DeleteSubscription(ctx context.Context, caller directory.Caller, environment, id string) error
}

// Pieces are the parts of the API that can be exchanged. A member left zero means the default.
type Pieces struct {
	// Subscriptions chooses where subscriptions are read and changed; nil: the directory itself.
	Subscriptions func(*directory.Directory) Subscriptions
	// Represent shows a subscription, without links; nil: subscription.Represent.
	Represent func(subscription.Subscription) subscription.Representation
	// CreatedStatus answers the creation of a subscription; 0: 201 (S2).
	CreatedStatus int
	// Failed may change the error body that answers a request; nil: it stays as it is.
	Failed func(Failure) Failure
}

func (p Pieces) filled() Pieces {
	if p.Subscriptions == nil {
		p.Subscriptions = func(d *directory.Directory) Subscriptions { return d }
	}
	if p.Represent == nil {
		p.Represent = subscription.Represent
	}
	if p.CreatedStatus == 0 {
		p.CreatedStatus = http.StatusCreated
	}
	if p.Failed == nil {
		p.Failed = func(f Failure) Failure { return f }
	}
	return p
}

// API is the http.Handler of the management API. It is safe for concurrent use.
type API struct {
	directory *directory.Directory
	opts      Options
	routes    []route
	pieces    atomic.Pointer[Pieces]
}

// New makes the API of a directory.
func New(d *directory.Directory, o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Bootstrap.Name == "" {
		o.Bootstrap.Name = o.Bootstrap.ID
	}
	if o.TokenKey == nil {
		key, err := NewTokenKey()
		if err != nil {
			panic(err) // there is no randomness: nothing can be secret on this machine
		}
		o.TokenKey = key
	}
	a := &API{directory: d, opts: o}
	a.routes = a.table()
	a.SetPieces(o.Pieces)
	return a
}

// SetPieces replaces what the API is composed of, for requests that begin later. Tokens stay valid.
func (a *API) SetPieces(p Pieces) {
	p = p.filled()
	a.pieces.Store(&p)
}
