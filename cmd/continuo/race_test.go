//go:build race

package main

// underRace: the race detector is at work, which multiplies the time and memory of everything.
const underRace = true
