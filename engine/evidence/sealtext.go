package evidence

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// journalFacts are what the bytes of a journal say about themselves.
type journalFacts struct {
	size   int64
	sha256 string
	head   journal.Digest
}

// bundleFacts are what the other files say.
type bundleFacts struct {
	artifacts     int
	artifactBytes int64
	withheld      int
	projectSHA256 string
	planSHA256    string
}

// noSigner is the signer of a seal that was made without a key.
const noSigner = "none"

// sealText writes seal.txt. All of it but the signer follows from the other files, so that Verify can write it again and
// compare.
func sealText(rec *engine.Record, events []engine.Event, j journalFacts, b bundleFacts, signer string) []byte {
	o := rec.Opened
	genesis := journal.Genesis(o.Run, o.Nonce)
	var redactions int
	var recovered int64
	for _, e := range events {
		switch p := e.Payload.(type) {
		case *engine.ItemOutput:
			redactions += p.Redactions
		case *engine.JournalRecovered:
			recovered += p.CutBytes
		}
	}
	var out bytes.Buffer
	line := func(key string, value any) { fmt.Fprintf(&out, "%s %v\n", key, value) }
	line("format", "continuo-seal-v1")
	line("run", o.Run)
	line("mode", rec.Mode)
	line("project", plain(o.Project))
	line("runbook", plain(o.Runbook))
	line("verdict", rec.Verdict)
	line("unknown", rec.Unknown)
	line("events", len(events))
	line("genesis", hex.EncodeToString(genesis[:]))
	line("head", hex.EncodeToString(j.head[:]))
	line("journal-bytes", j.size)
	line("journal-sha256", j.sha256)
	line("plan-sha256", b.planSHA256)
	line("project-sha256", b.projectSHA256)
	line("artifacts", b.artifacts)
	line("artifacts-bytes", b.artifactBytes)
	line("redactions", redactions)
	line("withheld", b.withheld)
	line("segments", rec.Segments)
	line("recovered-bytes", recovered)
	line("clock-anomalies", len(rec.Anomalies))
	line("clock-source", orElse(plain(o.ClockSource), "unknown"))
	line("opened", stamp(events[0].Time))
	line("closed", stamp(events[len(events)-1].Time))
	line("operator", orElse(plain(o.Operator), "unknown"))
	line("tool", strings.TrimSpace("continuo "+plain(o.Tool.Version)+" "+plain(o.Tool.Commit)))
	line("signer", signer)
	return out.Bytes()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// plain is a text for one line of seal.txt: what cannot be printed, or would begin a line, becomes a question mark.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// sealValue takes one value out of seal.txt.
func sealValue(text []byte, key string) string {
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, key+" "); ok {
			return strings.TrimSuffix(v, "\n")
		}
	}
	return ""
}
