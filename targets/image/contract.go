package image

// What an image is given and must do; docs/containers.md says it in words.
const (
	// apiPort is where an emitter serves its management API and its tokens,
	// by plain HTTP, and answers 200 to GET /readyz once it is ready.
	apiPort = 8080
	// controlPort is where it serves its control API, if it claims one.
	controlPort = 8081
	// inspectPort is where the receiver simulator's image serves its
	// inspection API.
	inspectPort = 8089
	// hookPort is where a receiver under test takes deliveries over HTTPS, at
	// hookPath, and readBackPort where it serves an adapter for reading back,
	// by plain HTTP, if it claims that.
	hookPort, readBackPort = 8443, 8444
	hookPath               = "/hook"
	// certificateFile and keyFile are what it shows of itself, in PEM; they
	// are put into its container before it is started.
	certificateFile, keyFile = "/hookproof/tls.crt", "/hookproof/tls.key"
	// hostName is the name by which an emitter's container reaches the
	// receiver simulator on the host, and receiverAlias the one by which it
	// reaches that in a container.
	hostName      = "hookproof-host"
	receiverAlias = "hookproof-receiver"
	// retryInitial and retryMax are the waits between attempts that an
	// emitter is asked for: scenarios let a dozen deliveries in a row fail.
	retryInitial, retryMax = "50ms", "200ms"
	// attemptTimeout is what an emitter is asked to give an attempt: scenarios
	// leave several without an answer.
	attemptTimeout = "5s"
)

// loopback is where ports of containers are published: for this machine only.
const loopback = "127.0.0.1"
