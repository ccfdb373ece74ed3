package api

import (
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func (a *API) store(r *request) Subscriptions { return r.pieces.Subscriptions(a.directory) }

func (a *API) listSubscriptions(r *request) (response, error) {
	all := a.store(r).Subscriptions(r.env)
	shown := make([]subscription.Representation, len(all))
	for i, s := range all {
		shown[i] = r.subscription(s)
	}
	envelope := collection(r.environmentLink("subscriptions"), "subscriptions", nil, len(all))
	envelope["_embedded"], envelope["size"] = object{"subscriptions": shown}, len(all)
	return response{http.StatusOK, envelope}, nil
}

func (a *API) createSubscription(r *request) (response, error) {
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	made, err := a.store(r).CreateSubscription(r.Context(), r.caller, r.env, o)
	return r.shownSubscription(r.pieces.CreatedStatus, made, err)
}

func (a *API) getSubscription(r *request) (response, error) {
	s, ok := a.store(r).Subscription(r.env, r.id)
	if !ok {
		return response{}, directory.ErrNotFound
	}
	return r.shownSubscription(http.StatusOK, s, nil)
}

func (a *API) replaceSubscription(r *request) (response, error) {
	store := a.store(r)
	if _, ok := store.Subscription(r.env, r.id); !ok {
		return response{}, directory.ErrNotFound
	}
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	s, err := store.ReplaceSubscription(r.Context(), r.caller, r.env, r.id, o)
	return r.shownSubscription(http.StatusOK, s, err)
}

func (a *API) deleteSubscription(r *request) (response, error) {
	return deleted(a.store(r).DeleteSubscription(r.Context(), r.caller, r.env, r.id))
}

func (r *request) shownSubscription(status int, s subscription.Subscription, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return response{status, r.subscription(s)}, nil
}

func (r *request) subscription(s subscription.Subscription) subscription.Representation {
	shown := r.pieces.Represent(s)
	shown.Links = map[string]subscription.Link{
		"self":        {Href: r.environmentLink("subscriptions", s.ID)},
		"environment": {Href: r.environmentLink()},
	}
	return shown
}
