package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// maxCommitting bounds the changes that one process writes at a time: a server takes 50 open batches of all processes.
const maxCommitting = 8

// Headers of an atomic batch (NATS architecture decision 50), and of a removed key.
const (
	batchID       = "Nats-Batch-Id"
	batchSequence = "Nats-Batch-Sequence"
	batchCommit   = "Nats-Batch-Commit"
	operation     = "KV-Operation"
	removed       = "DEL"
)

// writeTogether writes all entries or none, and none if another process has changed the environment since it was last
// read here. For that, every change writes the environment's own entry too, last, and only at the revision known here.
// It is called with the environment locked.
func (d *Directory) writeTogether(ctx context.Context, id string, e *environment, writes []write) error {
	own := write{key: storageKey(environmentKey, id, ""), value: *e.self.Load()}
	parts := slices.Clone(writes)
	if at := slices.IndexFunc(parts, func(w write) bool { return w.key == own.key }); at >= 0 {
		own = parts[at]
		parts = slices.Delete(parts, at, at+1)
	}
	revision, err := d.publish(ctx, append(parts, own), e.version)
	if err != nil {
		return fmt.Errorf("write a change of environment %s: %w", id, err)
	}
	e.version, e.applied = revision, revision
	return nil
}

// undoTogether puts back what there was before the writes.
func (d *Directory) undoTogether(ctx context.Context, id string, e *environment, writes []write) error {
	former := slices.Clone(writes)
	for i := range former {
		former[i].value = former[i].old
	}
	if err := d.writeTogether(ctx, id, e, former); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	return nil
}

// publish writes the entries as one batch, the last at the given revision, and returns its new one.
func (d *Directory) publish(ctx context.Context, writes []write, revision uint64) (uint64, error) {
	d.committing <- struct{}{}
	defer func() { <-d.committing }()
	conn, batch := d.opts.Place.JetStream.Conn(), nuid.Next()
	for i, w := range writes {
		msg := nats.NewMsg("$KV." + bucket + "." + w.key)
		msg.Header.Set(batchID, batch)
		msg.Header.Set(batchSequence, strconv.Itoa(i+1))
		if w.value == nil {
			msg.Header.Set(operation, removed)
		} else {
			encoded, err := json.Marshal(w.value)
			if err != nil {
				return 0, err
			}
			msg.Data = encoded
		}
		if i < len(writes)-1 { // what becomes of them, the last one's answer tells
			if err := conn.PublishMsg(msg); err != nil {
				return 0, err
			}
			continue
		}
		msg.Header.Set(batchCommit, "1")
		msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(revision, 10))
		answer, err := conn.RequestMsgWithContext(ctx, msg)
		if err != nil {
			return 0, err
		}
		return acknowledged(answer.Data)
	}
	return 0, errors.New("nothing to write")
}

func acknowledged(answer []byte) (uint64, error) {
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer, &ack); err != nil {
		return 0, fmt.Errorf("read the answer of the server: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	return ack.Sequence, nil
}
