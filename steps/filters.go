package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// filterSteps change what a subscription that delivers lets through.
func filterSteps() []Step {
	return []Step{
		step(`subscription "([^"]*)" is changed to "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, types string) error {
				list, err := json.Marshal(strings.Split(types, ", "))
				if err != nil {
					return fmt.Errorf("encode the types %s: %w", types, err)
				}
				return w.change(ctx, name, []setting{{"filterOptions.includedActionTypes", string(list)}})
			}
		}),
		step(`subscription "([^"]*)" is changed to population "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name, population string) error {
				return w.change(ctx, name, []setting{{"populations", population}})
			}
		}),
	}
}
