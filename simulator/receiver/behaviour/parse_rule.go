package behaviour

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

func parseRules(data json.RawMessage) ([]Rule, error) {
	var raw []json.RawMessage
	if err := value("rules", data, &raw, "an array of rules"); err != nil {
		return nil, err
	}
	if len(raw) > MaxRules {
		return nil, fmt.Errorf("rules: %d are too many, at most %d", len(raw), MaxRules)
	}
	rules := make([]Rule, len(raw))
	for i, r := range raw {
		rule := &rules[i]
		err := each(fmt.Sprintf("rules[%d]", i), r, func(name, path string, data json.RawMessage) (err error) {
			switch name {
			case "when":
				return each(path, data, rule.When.set)
			case "do":
				rule.Do, err = parseAction(path, data)
				return err
			}
			return fmt.Errorf("%s: unknown member; a rule has when and do", path)
		}, "when", "do")
		if err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// set parses one condition.
func (w *When) set(name, path string, data json.RawMessage) error {
	switch name {
	case "attempt":
		w.Attempt = &Range{}
		return w.Attempt.set(path, data)
	case "largerThan":
		w.LargerThan = new(int64)
		return integer(path, data, w.LargerThan, 0, math.MaxInt32, "a number of bytes")
	case "unlessHeader":
		if err := value(path, data, &w.UnlessHeader, "an object of strings"); err != nil {
			return err
		}
		if len(w.UnlessHeader) == 0 {
			return fmt.Errorf("%s: must name a header", path)
		}
		return checkHeaders(path, w.UnlessHeader)
	case "unlessJSON":
		if err := value(path, data, &w.UnlessJSON, "true"); err != nil {
			return err
		}
		if !w.UnlessJSON {
			return fmt.Errorf("%s: must be true, or left out", path)
		}
		return nil
	case "method":
		if err := text(path, data, &w.Method, MaxHeaderBytes); err != nil {
			return err
		}
		if w.Method == "" || strings.ContainsFunc(w.Method, func(r rune) bool { return !IsTokenRune(r) }) {
			return fmt.Errorf("%s: must be a method such as POST", path)
		}
		return nil
	case "bodyContains":
		if err := text(path, data, &w.BodyContains, MaxContainsBytes); err != nil {
			return err
		}
		if w.BodyContains == "" {
			return fmt.Errorf("%s: must not be empty", path)
		}
		return nil
	case "overRate":
		w.OverRate = &Rate{}
		return w.OverRate.set(path, data)
	case "chance":
		if err := value(path, data, &w.Chance, "a number"); err != nil {
			return err
		}
		if !(w.Chance > 0 && w.Chance <= 1) {
			return fmt.Errorf("%s: %v is not above 0 and at most 1", path, w.Chance)
		}
		return nil
	}
	return fmt.Errorf("%s: unknown member; conditions are attempt, largerThan, unlessHeader, unlessJSON, method, bodyContains, overRate and chance", path)
}

func (r *Range) set(path string, data json.RawMessage) error {
	err := each(path, data, func(name, path string, data json.RawMessage) error {
		switch name {
		case "from":
			return integer(path, data, &r.From, 1, math.MaxInt32, "an attempt counted from 1")
		case "to":
			return integer(path, data, &r.To, 1, math.MaxInt32, "an attempt counted from 1")
		}
		return fmt.Errorf("%s: unknown member; a range has from and to", path)
	})
	if err == nil && r.To > 0 && r.To < r.From {
		err = fmt.Errorf("%s.to: must not be below from", path)
	}
	return err
}

func (r *Rate) set(path string, data json.RawMessage) error {
	return each(path, data, func(name, path string, data json.RawMessage) error {
		switch name {
		case "requests":
			return integer(path, data, &r.Requests, 1, 1_000_000, "a number of requests")
		case "per":
			return duration(path, data, &r.Per, time.Millisecond, MaxDelay)
		}
		return fmt.Errorf("%s: unknown member; a rate has requests and per", path)
	}, "requests", "per")
}
