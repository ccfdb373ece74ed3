package behaviour

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// set parses one member of an action.
func (a *Action) set(name, path string, data json.RawMessage) error {
	switch name {
	case "delay":
		return duration(path, data, &a.Delay, 0, MaxDelay)
	case "delayMax":
		return duration(path, data, &a.DelayMax, time.Nanosecond, MaxDelay)
	case "retryAfter":
		return a.setRetryAfter(path, data)
	case "status":
		return integer(path, data, &a.Status, 200, 599, "a final HTTP status")
	case "headers":
		if err := value(path, data, &a.Headers, "an object of strings"); err != nil {
			return err
		}
		return checkHeaders(path, a.Headers)
	case "redirect":
		return a.setRedirect(path, data)
	case "body":
		return text(path, data, &a.Body, MaxBodyBytes)
	case "bodyBytes":
		return integer(path, data, &a.BodyBytes, 1, MaxMadeBodyBytes, "a length in bytes")
	case "contentType":
		return a.setContentType(path, data)
	case "drip":
		a.Drip = &Drip{}
		return a.Drip.set(path, data)
	case "cutAfter":
		a.CutAfter = new(int64)
		return integer(path, data, a.CutAfter, 0, MaxMadeBodyBytes, "a number of bytes")
	case "reset":
		return value(path, data, &a.Reset, "a boolean")
	case "hang":
		return value(path, data, &a.Hang, "a boolean")
	}
	return fmt.Errorf("%s: unknown member; an action has delay, delayMax, status, headers, retryAfter, redirect, body, bodyBytes, contentType, drip, cutAfter, reset or hang", path)
}

func (a *Action) setRetryAfter(path string, data json.RawMessage) error {
	if err := duration(path, data, &a.RetryAfter, time.Second, MaxDelay); err != nil {
		return err
	}
	if time.Duration(a.RetryAfter)%time.Second != 0 {
		return fmt.Errorf("%s: %v are not whole seconds", path, time.Duration(a.RetryAfter))
	}
	return nil
}

func (a *Action) setRedirect(path string, data json.RawMessage) error {
	if err := text(path, data, &a.Redirect, MaxHeaderBytes); err != nil {
		return err
	}
	if _, err := url.Parse(a.Redirect); err != nil || a.Redirect == "" {
		return fmt.Errorf("%s: must be a URL", path)
	}
	return checkFieldValue(path, a.Redirect)
}

func (a *Action) setContentType(path string, data json.RawMessage) error {
	if err := text(path, data, &a.ContentType, MaxHeaderBytes); err != nil {
		return err
	}
	if a.ContentType == "" {
		return fmt.Errorf("%s: must not be empty", path)
	}
	return checkFieldValue(path, a.ContentType)
}

func (d *Drip) set(path string, data json.RawMessage) error {
	return each(path, data, func(name, path string, data json.RawMessage) error {
		switch name {
		case "bytes":
			return integer(path, data, &d.Bytes, 1, MaxBodyBytes, "a number of bytes")
		case "every":
			return duration(path, data, &d.Every, time.Millisecond, MaxDelay)
		}
		return fmt.Errorf("%s: unknown member; a drip has bytes and every", path)
	}, "bytes", "every")
}

// consistent refuses members that contradict each other, naming the one that
// has no effect.
func (a *Action) consistent(path string, members map[string]json.RawMessage) error {
	if a.Reset && a.Hang {
		return fmt.Errorf("%s.hang: cannot be combined with reset", path)
	}
	silent := map[bool]string{a.Hang: "hang", a.Reset: "reset"}[true]
	for name := range members {
		if silent != "" && name != "reset" && name != "hang" {
			return fmt.Errorf("%s.%s: cannot be combined with %s, which never answers", path, name, silent)
		}
	}
	_, both := members["body"]
	code, length := a.Code(), a.Length()
	switch {
	case a.DelayMax > 0 && a.DelayMax < a.Delay:
		return fmt.Errorf("%s.delayMax: must not be below delay", path)
	case a.Redirect != "" && (code < 300 || code > 399):
		return fmt.Errorf("%s.redirect: status %d does not redirect", path, code)
	case a.BodyBytes > 0 && both:
		return fmt.Errorf("%s.bodyBytes: cannot be combined with body", path)
	case length > 0 && (code == http.StatusNoContent || code == http.StatusNotModified):
		return fmt.Errorf("%s.body: status %d has no body", path, code)
	case a.Drip != nil && length == 0:
		return fmt.Errorf("%s.drip: there is no body", path)
	case a.CutAfter != nil && *a.CutAfter >= length:
		return fmt.Errorf("%s.cutAfter: must be below the length of the body, %d", path, length)
	}
	return nil
}
