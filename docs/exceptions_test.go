package docs_test

// An exception is a block that is not simply run to its end with exit code 0.
// Its commands have $CLONE, the repository, $MODULE, the module as it would be
// downloaded, and $PAGE, the reader's folder.
type exception struct {
	page   string
	begins string // how the block begins
	reason string // why

	docker    string // the programs of Docker that it needs; without them it is skipped
	first     string // commands that come before
	variables string // set for this block alone, "NAME=value NAME=value"
	typed     string // what the reader types
	serves    string // printed by what goes on running, once it is ready
	code      int    // the exit code that is right
	prints    string // must be among what is printed
	after     string // commands that remove what it leaves outside of the folder
	notRun    bool   // not below docs/
}

const (
	serves      = "it serves until it is stopped"
	inCI        = ".ci/run runs it, and it would take long here"
	inContainer = "one scenario shows that the containers meet; targets/image tests the whole suite"

	// A scenario with a delivery.
	one = "HOOKPROOF_SCENARIO=delivery/a-single-event-that-no-other-follows"
	// The image that testcontainers pulls may not be reached.
	noRyuk = " TESTCONTAINERS_RYUK_DISABLED=true"
)

// aVendor begins a module with the emitter of the example. The module proxy
// knows no version, so that the replacement is taken.
const aVendor = `
cp "$CLONE"/examples/emitter/*.go .
go mod init example.com/vendor
go mod edit -replace "github.com/hookproof/hookproof=$MODULE"
mkdir -p proxy/github.com/hookproof/hookproof/@v
: > proxy/github.com/hookproof/hookproof/@v/list
export GOPROXY="file://$PAGE/proxy,$(go env GOPROXY)"
`

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
	{page: "docs/adapter.md", begins: "go run readback.go", reason: serves, serves: "reading back at"},
	{page: "docs/adapter.md", begins: "./hookproof emitter", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/adapter.md", begins: "go run eventhook.go", reason: serves, serves: "events are taken at"},

	{page: "docs/containers.md", begins: "CGO_ENABLED=0 go build -o dist", reason: "it leaves images", docker: "docker",
		after: "docker rmi hookproof-docs/emitter hookproof-docs/receiver hookproof-docs/hookproof"},
	{page: "docs/containers.md", begins: "docker run --rm --user", reason: "a part of a whole run shows it too", docker: "docker", prints: "CONFORMANT",
		first: `docker() { command docker "$1" --env HOOKPROOF_PROFILE=limits "${@:2}"; }`},
	{page: "docs/containers.md", begins: "./hookproof run --target image:hookproof/emitter", reason: inContainer, docker: "docker", variables: one + noRyuk},
	{page: "docs/containers.md", begins: "CGO_ENABLED=0 go build -C examples", reason: inContainer, docker: "docker", variables: "HOOKPROOF_PROFILE=completeness" + noRyuk},
	{page: "docs/containers.md", begins: "./hookproof run --target image:.#emitter --receiver-image", reason: inContainer, docker: "docker", variables: one + noRyuk},

	{page: "docs/desk.md", begins: "./hookproof emitter --listen", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "./hookproof receiver --inspect-listen", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "ENV=", reason: "the delivery is seen", prints: "USER.CREATED"},
	{page: "docs/desk.md", begins: "./hookproof emitter --data ./data", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/desk.md", begins: "./hookproof emitter --data ./tenant", reason: "the tenant is seen", prints: "Staging"},
	{page: "docs/desk.md", begins: "CGO_ENABLED=0", reason: serves, docker: "docker docker-compose", serves: "Stop with Ctrl-C",
		first: "export COMPOSE_PROJECT_NAME=hookproof-docs-$PPID INSPECT_PORT= EMITTER_1_PORT= EMITTER_2_PORT= EMITTER_3_PORT= CONTROL_1_PORT= CONTROL_2_PORT= CONTROL_3_PORT=",
		after: "COMPOSE_PROJECT_NAME=hookproof-docs-$PPID docker-compose down --volumes --rmi local --timeout 5"},

	{page: "examples/README.md", begins: "go test ./...", reason: inCI, notRun: true},
	{page: "examples/README.md", begins: "go run ./emitter", reason: serves, serves: "an emitter at"},
	{page: "examples/README.md", begins: `go run "$(go env GOROOT)/src/crypto`, reason: serves, serves: "a receiver at"},

	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof faults  ", reason: inCI, variables: "HOOKPROOF_FAULT=limit-51", prints: "killed"},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof emitter --hostile", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof receiver --hostile", reason: serves, serves: "Stop with Ctrl-C"},
	{page: "docs/kill-matrix.md", begins: "go run ./cmd/hookproof run --hostile  ", reason: "all of it is run by TestLibertiesAreNoFaults", variables: "HOOKPROOF_PROFILE=limits"},
	{page: "docs/kill-matrix.md", begins: "go install github.com/go-gremlins", reason: "it takes a quarter of an hour; here it is done with hold.go alone",
		first: `cd "$CLONE"`, variables: "GREMLINS_UNLEASH_EXCLUDE_FILES=^[^h]", prints: "Lived: 0, Not covered: 0"},

	{page: "docs/library.md", begins: "go get", reason: "it is for a module of the reader's; whatever is published, it gets what would be published now", first: aVendor},
	{page: "docs/running.md", begins: "./hookproof run --shard", reason: "the whole would take long", variables: "HOOKPROOF_PROFILE=limits"},
	{page: "docs/running.md", begins: "./hookproof run --fault limit-51 --out before", reason: "half of a whole run shows it too", variables: "HOOKPROOF_ROLE=emitter"},
	{page: "docs/running.md", begins: "go build -o hookproof ./cmd/hookproof\ncode=0", reason: "a part of a whole run shows it too", variables: "HOOKPROOF_PROFILE=limits", prints: "worse than the baseline"},
	{page: "docs/running.md", begins: "./hookproof run --scenario limits/a-51st-subscription-is-refused --attach", reason: "it waits for Enter", typed: "\n", prints: "Press Enter"},
	{page: "docs/speed.md", begins: "go build", reason: "it measures for minutes; here it is seen that it can", variables: "HOOKPROOF_EVENTS=2000 HOOKPROOF_HELD=2 HOOKPROOF_LONE=1 HOOKPROOF_ROUNDS=1 HOOKPROOF_SUBSCRIPTIONS=1"},
	{page: "docs/triggers.md", begins: "./hookproof emitter", reason: serves, serves: "Stop with Ctrl-C"},
}
