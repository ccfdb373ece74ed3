package main

import (
	"context"
	"io"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestBadReceiverAndBenchFlagsAreUsageErrors(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"receiver", "--port", "nothing=1"},
		{"receiver", "--tls-min", "1.1"},
		{"receiver", "--tls-cert", "missing.pem"},
		{"receiver", "--client-ca", "missing.pem"},
		{"receiver", "--behaviour", "nothing-like-it"},
		{"bench", "receiver", "--sizes", "1"},
		{"bench", "receiver", "--connections", "0"},
		{"bench", "receiver", "--rounds", "0"},
		{"bench", "receiver", "more"},
		{"bench", "emitter", "--events", "999"},
		{"bench", "emitter", "--subscriptions", "51"},
		{"bench", "emitter", "--held", "0"},
		{"bench", "emitter", "--rounds", "x"},
	} {
		root := rootCommand()
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		if code := execute(context.Background(), root, arguments); code != reports.ExitUsage {
			t.Errorf("%v: exit code %d", arguments, code)
		}
	}
}
