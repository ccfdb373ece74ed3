//go:build race

package main

// underRace tells that the race detector is built in; it multiplies memory.
const underRace = true
