package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

const (
	// FileName is the journal's name in a run's directory.
	FileName = "journal.jsonl"
	// MaxLine bounds a line, its LF included, in bytes.
	MaxLine = 64 << 10
	// MaxString is the length in bytes from which a text is kept as an artifact, with its digest in the line.
	MaxString = 4 << 10
	// ArtifactRef is what the digest of such an artifact is written behind.
	ArtifactRef = "artifact:"

	timeLayout = "2006-01-02T15:04:05.000000000Z"
)

// Digest is a SHA-256.
type Digest = [sha256.Size]byte

// Genesis is the prev of the first line: it binds the chain to one run, so that no line can move to another.
func Genesis(run engine.RunID, nonce string) Digest {
	return sha256.Sum256([]byte("continuo-journal-v1\n" + string(run) + "\n" + nonce + "\n"))
}

// Head is the part that every line begins with, in this order:
//
//	{"v":1,"seq":0,"prev":"<64 hex>","t":"2026-11-21T18:20:01.123456789Z","mono":0,"mode":"live","type":"run.opened"
type Head struct {
	Seq  uint64
	Prev Digest
	T    time.Time
	Mono time.Duration
	Mode engine.Mode
	Type string
}

// append writes the head without what follows it.
func (h Head) append(b []byte) []byte {
	b = append(b, `{"v":1,"seq":`...)
	b = strconv.AppendUint(b, h.Seq, 10)
	b = append(b, `,"prev":"`...)
	b = hex.AppendEncode(b, h.Prev[:])
	b = append(b, `","t":"`...)
	b = h.T.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","mono":`...)
	b = strconv.AppendInt(b, int64(h.Mono), 10)
	b = append(b, `,"mode":"`...)
	b = append(b, h.Mode...)
	b = append(b, `","type":"`...)
	b = append(b, h.Type...)
	return append(b, '"')
}

// line is the head, the fields of body (a JSON object) and LF.
func (h Head) line(body []byte) []byte {
	b := h.append(make([]byte, 0, 256+len(body)))
	if len(body) > 2 {
		b = append(b, ',')
		b = append(b, body[1:]...)
	} else {
		b = append(b, '}')
	}
	return append(b, '\n')
}

// encodePayload gives the payload as JSON, one line, without HTML escapes.
func encodePayload(p engine.Payload) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// newPayload is an empty payload of the same type.
func newPayload(p engine.Payload) (engine.Payload, error) {
	v := reflect.ValueOf(p)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, fmt.Errorf("payload %T is not a pointer to an event: %w", p, ErrUnknownType)
	}
	q, ok := reflect.New(v.Type().Elem()).Interface().(engine.Payload)
	if !ok {
		return nil, fmt.Errorf("payload %T: %w", p, ErrUnknownType)
	}
	return q, nil
}
