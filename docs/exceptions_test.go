package docs_test

// An exception is a block that is not simply run to its end with exit code 0.
type exception struct {
	page   string
	begins string // how the block begins
	reason string // why

	notRun    bool
	serves    string // printed by what goes on running, once it is ready
	code      int    // the exit code that is right
	prints    string // must be among what is printed
	variables string // set for this block alone, "NAME=value NAME=value"
}

const (
	needsDocker = "it needs Docker; targets/image, cmd/hookproof and compose have tests of their own"
	serves      = "it serves until it is stopped"
	inCI        = ".ci/run runs it, and it would take long here"
)

var exceptions = []exception{
	{page: "README.md", begins: "go run ./cmd/hookproof run   #", reason: inCI, variables: "HOOKPROOF_PROFILE=limits", prints: "CONFORMANT"},
	{page: "README.md", begins: "go test ./...", reason: inCI, notRun: true},
	{page: "README.md", begins: "go run ./cmd/hookproof run --rule SUB-LIMIT-051 --fault", reason: "a fault is found", code: 1, prints: "SUB-LIMIT-051  MUST"},
	{page: "README.md", begins: "go build -C examples -o ../dist/example-emitter", reason: serves, serves: "an emitter at"},
	{page: "README.md", begins: `go run "$(go env GOROOT)/src/crypto`, reason: serves, serves: "a receiver at"},
	{page: "README.md", begins: "./hookproof emitter ", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "README.md", begins: "./hookproof receiver ", reason: serves, serves: "Stop with Ctrl-C"},

	{page: "CONTRIBUTING.md", begins: "go test ./...", reason: inCI, notRun: true},
	{page: "CONTRIBUTING.md", begins: "go test ./features -run TestTheCatalogueIsItsNewestRevision -freeze", reason: "it changes the catalogue", notRun: true},
	{page: "CONTRIBUTING.md", begins: "go run ./cmd/hookproof run --rule DLV-012 --fault", reason: "a fault is found", code: 1, prints: "DLV-012  MUST"},
	{page: "CONTRIBUTING.md", begins: "go run ./cmd/hookproof run --hostile", reason: "all of it is run by TestLibertiesAreNoFaults", variables: "HOOKPROOF_PROFILE=limits"},

	{page: "docs/adapter.md", begins: `go run "$(go env GOROOT)/src/crypto`, reason: serves, serves: "a receiver at"},
	{page: "docs/adapter.md", begins: "grep -F", reason: "it is a file", notRun: true},
	{page: "docs/adapter.md", begins: "go run readback.go", reason: serves, serves: "reading back at"},
	{page: "docs/adapter.md", begins: "./hookproof emitter", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/adapter.md", begins: "go run eventhook.go", reason: serves, serves: "events are taken at"},

	{page: "docs/containers.md", begins: "./hookproof run --target image:", reason: needsDocker, notRun: true},
	{page: "docs/containers.md", begins: "./hookproof run --target image:.#emitter --receiver-image", reason: needsDocker, notRun: true},
	{page: "docs/containers.md", begins: "HOOKPROOF_HOOK_HEADER=", reason: needsDocker, notRun: true},
	{page: "docs/containers.md", begins: "CGO_ENABLED=0", reason: needsDocker, notRun: true},

	{page: "docs/desk.md", begins: "./hookproof emitter --listen", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "./hookproof receiver --inspect-listen", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "ENV=", reason: "the delivery is seen", prints: "USER.CREATED"},
	{page: "docs/desk.md", begins: "./hookproof emitter --data ./data", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "./hookproof emitter --data ./tenant", reason: "the tenant is seen", prints: "Staging"},
	{page: "docs/desk.md", begins: "CGO_ENABLED=0", reason: needsDocker, notRun: true},

	{page: "examples/README.md", begins: "go test ./...", reason: inCI, notRun: true},
	{page: "examples/README.md", begins: "go run ./emitter", reason: serves, serves: "an emitter at"},
	{page: "examples/README.md", begins: `go run "$(go env GOROOT)/src/crypto`, reason: serves, serves: "a receiver at"},

	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof faults  ", reason: inCI, notRun: true},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof emitter --hostile", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof receiver --hostile", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof run --hostile  ", reason: "all of it is run by TestLibertiesAreNoFaults", variables: "HOOKPROOF_PROFILE=limits"},

	{page: "docs/kill-matrix.md", begins: "go install github.com/go-gremlins", reason: "it takes a quarter of an hour", notRun: true},

	{page: "docs/library.md", begins: "go get", reason: "it is for a module of the reader's; examples/ is one", notRun: true},
	{page: "docs/running.md", begins: "./hookproof run --shard", reason: "the whole would take long", variables: "HOOKPROOF_PROFILE=limits"},
	{page: "docs/running.md", begins: "./hookproof run --fault limit-51 --out before", reason: "half of a whole run shows it too", variables: "HOOKPROOF_ROLE=emitter"},
	{page: "docs/running.md", begins: "go build -o hookproof ./cmd/hookproof\ncode=0", reason: "a part of a whole run shows it too", variables: "HOOKPROOF_PROFILE=limits", prints: "worse than the baseline"},
	{page: "docs/running.md", begins: "./hookproof run --scenario limits/a-51st-subscription-is-refused --attach", reason: "it waits for somebody at a terminal; cmd/hookproof tests it with one", notRun: true},
	{page: "docs/speed.md", begins: "go build", reason: "it measures for minutes; here it is seen that it can", variables: "HOOKPROOF_EVENTS=2000 HOOKPROOF_HELD=2 HOOKPROOF_LONE=1 HOOKPROOF_ROUNDS=1 HOOKPROOF_SUBSCRIPTIONS=1"},
	{page: "docs/triggers.md", begins: "export HOOKPROOF_CLIENT_SECRET=…", reason: "the addresses are somebody's; docs/adapter.md has a command like it", notRun: true},
	{page: "docs/triggers.md", begins: "./hookproof cleanup", reason: "the addresses are somebody's; cmd/hookproof tests the command", notRun: true},
}
