package behaviour

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// each hands every member of an object to set, by name and path. Those that
// are needed must be there.
func each(path string, data json.RawMessage, set func(name, path string, data json.RawMessage) error, needed ...string) error {
	members, err := object(path, data)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := set(name, path+"."+name, members[name]); err != nil {
			return err
		}
	}
	for _, name := range needed {
		if _, ok := members[name]; !ok {
			return fmt.Errorf("%s.%s: must be given", path, name)
		}
	}
	return nil
}

// integer reads a whole number from least to most.
func integer[T int | int64](path string, data json.RawMessage, target *T, least, most T, what string) error {
	if err := value(path, data, target, "an integer"); err != nil {
		return err
	}
	if *target < least || *target > most {
		return fmt.Errorf("%s: %d is not %s, %d to %d", path, *target, what, least, most)
	}
	return nil
}

// duration reads a duration in Go's form, from least to most.
func duration(path string, data json.RawMessage, target *Duration, least, most time.Duration) error {
	const form = `a duration such as "150ms"`
	var written string
	if err := value(path, data, &written, form); err != nil {
		return err
	}
	d, err := time.ParseDuration(written)
	if err != nil {
		return fmt.Errorf("%s: must be %s", path, form)
	}
	if d < least || d > most {
		return fmt.Errorf("%s: %v is out of range, %v to %v", path, d, least, most)
	}
	*target = Duration(d)
	return nil
}

// text reads a string of at most so many bytes.
func text(path string, data json.RawMessage, target *string, most int) error {
	if err := value(path, data, target, "a string"); err != nil {
		return err
	}
	if len(*target) > most {
		return fmt.Errorf("%s: %d bytes are too many, at most %d", path, len(*target), most)
	}
	return nil
}
