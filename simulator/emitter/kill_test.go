package emitter_test

func runAsChild() bool { return false }
