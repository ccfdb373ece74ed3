//go:build !race

package main

// underRace tells that the race detector is built in; it multiplies memory and
// time.
const underRace = false
