//go:build race

package hookproof_test

const raced = true // the race detector watches
