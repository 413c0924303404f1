package view

import (
	"encoding/json"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// EventLine writes one event as a line of JSON: its number, time, mode and type, then the fields that it has in the journal.
func (s *Screen) EventLine(e engine.Event) {
	head, err := json.Marshal(struct {
		Seq  uint64      `json:"seq"`
		Time time.Time   `json:"t"`
		Mode engine.Mode `json:"mode"`
		Type string      `json:"type"`
	}{e.Seq, e.Time.UTC(), e.Mode, e.Payload.EventType()})
	if err != nil {
		panic(err) // four plain fields
	}
	body, err := json.Marshal(e.Payload)
	if err != nil {
		panic(err) // the journal has written it already
	}
	if string(body) != "{}" {
		head = append(append(head[:len(head)-1], ','), body[1:]...)
	}
	_, _ = s.Write(append(head, '\n')) // kept in failed
}
