// Package reports turns what a run observed into what people and machines read.
//
// results.json is the one canonical file: [Results] is its shape, [Schema] its
// published JSON Schema, [Recorder] writes it while the run goes on, [Read]
// takes it back. Everything else here (the page, JUnit, the console and the
// like; see [WriteAll]) is derived from a Results value and the transcripts that
// it names, and from nothing else, so any report can be made again from the
// folder.
//
// What must not enter: how scenarios are run or judged, targets, the network,
// and any decision about an outcome beyond combining the outcomes given.
package reports
