package journal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// maxList is the size of a list of texts from which the list is kept as an artifact.
const maxList = 16 << 10

// structural reports whether a field joins events with one another and with the plan: never redacted. The project, the
// plan and the variables, where its values come from, are searched for secrets before the first intent. The digest of
// "text" stands beside it, so its writer has redacted it.
func structural(name string) bool {
	switch name {
	case "run", "nonce", "host", "hosts", "key", "elements", "mark", "objective", "mode", "stream", "transport", "artifact",
		"sha256", "plan_sha256", "plan_digest", "project_sha256", "variables_sha256", "command_sha256", "boot_id", "state_id",
		"init_start_time", "host_key", "via", "runbook", "project", "rollback_of", "text":
		return true
	}
	return false
}

// prepare gives the payload as it will be read back, and its JSON: secrets replaced, times in UTC, what is too long for
// a line moved to artifacts. The caller's payload is not touched. whole is the payload with its lists in full.
func (j *Journal) prepare(p engine.Payload) (whole engine.Payload, body []byte, err error) {
	if whole, err = newPayload(p); err != nil {
		return nil, nil, err
	}
	if _, ok := j.types[p.EventType()]; !ok {
		return nil, nil, fmt.Errorf("%q: %w", p.EventType(), ErrUnknownType)
	}
	if body, err = encodePayload(p); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(body, whole); err != nil {
		return nil, nil, err
	}
	w := walker{redactor: j.opts.Redactor, put: j.opts.Put, maxString: MaxString}
	if err := w.walk(reflect.ValueOf(whole), ""); err != nil {
		return nil, nil, err
	}
	if w.changed {
		if body, err = encodePayload(whole); err != nil {
			return nil, nil, err
		}
	}
	if len(body) <= MaxString {
		return whole, body, nil
	}
	return j.shorten(whole, body)
}

// shorten moves long lists, and in need shorter and shorter texts, to artifacts until the line fits.
func (j *Journal) shorten(whole engine.Payload, body []byte) (engine.Payload, []byte, error) {
	const headRoom = 512
	for _, limit := range []int{MaxString, 1 << 10, 256} {
		short, err := newPayload(whole)
		if err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal(body, short); err != nil {
			return nil, nil, err
		}
		w := walker{put: j.opts.Put, maxString: limit, lists: true}
		if err := w.walk(reflect.ValueOf(short), ""); err != nil {
			return nil, nil, err
		}
		b := body
		if w.changed {
			if b, err = encodePayload(short); err != nil {
				return nil, nil, err
			}
		}
		if len(b)+headRoom <= MaxLine {
			return whole, b, nil
		}
	}
	return nil, nil, fmt.Errorf("%s: %w", whole.EventType(), ErrTooLong)
}

// walker visits every text of a payload.
type walker struct {
	redactor  engine.Redactor
	put       func([]byte) (string, error)
	maxString int
	lists     bool
	changed   bool
}

func (w *walker) walk(v reflect.Value, name string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return w.walk(v.Elem(), name)
	case reflect.Struct:
		return w.structure(v)
	case reflect.Slice:
		return w.slice(v, name)
	case reflect.String:
		return w.text(v, name)
	}
	return nil
}

func (w *walker) structure(v reflect.Value) error {
	if t, ok := v.Interface().(time.Time); ok {
		if t.Location() != time.UTC {
			v.Set(reflect.ValueOf(t.UTC()))
			w.changed = true
		}
		return nil
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if err := w.walk(v.Field(i), tag); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) slice(v reflect.Value, name string) error {
	if w.lists && w.put != nil && v.Type() == reflect.TypeFor[[]string]() {
		list, _ := v.Interface().([]string)
		if size := len(strings.Join(list, `","`)); size > maxList {
			data, err := json.Marshal(list)
			if err != nil {
				return err
			}
			sum, err := w.put(data)
			if err != nil {
				return err
			}
			v.Set(reflect.ValueOf([]string{ArtifactRef + sum}))
			w.changed = true
		}
		return nil
	}
	for i := range v.Len() {
		if err := w.walk(v.Index(i), name); err != nil {
			return err
		}
	}
	return nil
}

// text redacts and shortens one text. Words of closed sets have types of their own and are left alone.
func (w *walker) text(v reflect.Value, name string) error {
	if v.Type() != reflect.TypeFor[string]() {
		return nil
	}
	s := v.String()
	if w.redactor != nil && !structural(name) {
		s = w.redactor.Redact(s)
	}
	if len(s) > w.maxString && w.put != nil && !strings.HasPrefix(s, ArtifactRef) && name != "text" {
		sum, err := w.put([]byte(s))
		if err != nil {
			return err
		}
		s = ArtifactRef + sum
	}
	if s != v.String() {
		v.SetString(s)
		w.changed = true
	}
	return nil
}

// Expand puts the lists that prepare moved to artifacts back into the payloads. get returns the bytes of an artifact.
func Expand(events []engine.Event, get func(sha256 string) ([]byte, error)) error {
	for i := range events {
		if err := expand(reflect.ValueOf(events[i].Payload), get); err != nil {
			return &LineError{Line: i + 1, Err: err}
		}
	}
	return nil
}

func expand(v reflect.Value, get func(string) ([]byte, error)) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return expand(v.Elem(), get)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			if err := expand(v.Field(i), get); err != nil {
				return err
			}
		}
	case reflect.Slice:
		list, ok := v.Interface().([]string)
		if !ok || len(list) != 1 || !strings.HasPrefix(list[0], ArtifactRef) {
			return nil
		}
		sum := strings.TrimPrefix(list[0], ArtifactRef)
		data, err := get(sum)
		if err != nil {
			return err
		}
		var whole []string
		if err := json.Unmarshal(data, &whole); err != nil {
			return fmt.Errorf("list in artifact %s: %w", sum, err)
		}
		v.Set(reflect.ValueOf(whole))
	}
	return nil
}
