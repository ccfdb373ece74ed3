//go:build !race

package hookproof_test

const raced = false // the race detector watches
