# The images of hookproof: a static binary each and nothing else. The binary is
# built beforehand, on the machine that has Go:
#
#   CGO_ENABLED=0 go build -o dist/hookproof ./cmd/hookproof
#   docker build --target emitter -t hookproof/emitter .
#
# /data belongs to an unprivileged user and is where everything is kept, what
# is temporary too: a volume there makes it last.
#
# It is a copy of /empty, since what is copied can be given to somebody. Both are
# of one image, so that the classic builder leaves none behind.

FROM scratch AS empty
WORKDIR /empty

FROM empty AS hookproof
COPY dist/hookproof /hookproof
COPY --from=empty --chown=65532:65532 /empty /data
WORKDIR /data
ENV TMPDIR=/data
USER 65532:65532
ENTRYPOINT ["/hookproof"]

FROM hookproof AS emitter
ENV HOOKPROOF_LISTEN=0.0.0.0:8080
EXPOSE 8080 8081
ENTRYPOINT ["/hookproof", "emitter"]

FROM hookproof AS receiver
ENV HOOKPROOF_LISTEN_HOST=0.0.0.0
EXPOSE 8089
ENTRYPOINT ["/hookproof", "receiver"]

# A NATS server of the cluster in compose.yaml.
#
#   CGO_ENABLED=0 go build -o dist/nats-server github.com/nats-io/nats-server/v2
FROM scratch AS nats
COPY dist/nats-server /nats-server
COPY compose/nats.conf /nats.conf
EXPOSE 4222 6222
VOLUME /data
ENTRYPOINT ["/nats-server", "--config", "/nats.conf"]
