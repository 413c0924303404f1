package executor

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// A transfer is an attempt like any other: a script that takes the content on stdin, compares its digest on the host and
// renames it into place. So everything that holds for steps holds for transfers: intent, claim, watchdog, become.
var (
	//go:embed scripts/put.sh
	putScript string
	//go:embed scripts/restore.sh
	restoreScript string
)

// parcel is what a transfer puts on a host: a small one is in memory, a large one in a scratch file.
type parcel struct {
	content   []byte
	large     engine.ScratchFile
	size      int64
	digest    string
	sensitive bool
	// done gives back what holds the content; nothing reads it afterwards. Never nil.
	done func()
}

// inMemory is a parcel of these bytes.
func inMemory(content []byte, sensitive bool) parcel {
	sum := sha256.Sum256(content)
	return parcel{content: content, size: int64(len(content)), digest: hex.EncodeToString(sum[:]), sensitive: sensitive, done: func() {}}
}

// feed gives a command the content as what it reads.
func (p parcel) feed(c *engine.Command) {
	if p.large == nil {
		if c.Stdin = p.content; c.Stdin == nil {
			c.Stdin = []byte{} // an empty file is put too
		}
		return
	}
	c.Input = &engine.Input{Size: p.size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(p.large, 0, p.size)), nil
	}}
}

// parcel loads the content: a file of the project, an expression, or a file of another host.
func (t *task) parcel(ctx context.Context, u engine.Unit, names *expr.Scope) (parcel, error) {
	switch s := t.item.Source; {
	case s.File != "":
		content, err := t.projectFile(s.File)
		return inMemory(content, false), err
	case s.Content != nil:
		return contentOf(s.Content, names)
	}
	return t.fetch(ctx, u, names)
}

// projectFile is a file as the loader read it, so that what is transferred is what was planned and recorded.
func (t *task) projectFile(name string) ([]byte, error) {
	for _, f := range t.r.cfg.Project.Files {
		if f.Path == path.Clean(name) {
			return f.Data, nil
		}
	}
	return nil, fmt.Errorf("%s is not among the files of the project", name)
}

func contentOf(e *expr.Expr, names *expr.Scope) (parcel, error) {
	v, err := eval(e, names)
	if err != nil {
		return inMemory(nil, false), err
	}
	text, err := v.Reveal()
	if err != nil {
		return inMemory(nil, false), at(e, err)
	}
	return inMemory([]byte(text), v.IsSensitive()), nil
}

// put renders the transfer to one host.
func (t *task) put(p parcel, u engine.Unit, names *expr.Scope) (rendered, error) {
	c, shown, err := t.transferCommand(u, names)
	if err != nil {
		return rendered{}, err
	}
	c.Script = putScript
	p.feed(&c)
	c.Env = append(c.Env, engine.Env{Name: "CONTINUO_SHA256", Value: p.digest, Secret: p.sensitive})
	shown["action"] = "put"
	text := fmt.Sprintf("put %s (%d bytes, sha256 %s)", shown["destination"], p.size, p.digest)
	if p.sensitive {
		text = fmt.Sprintf("put %s (sensitive)", shown["destination"])
	} else {
		shown["sha256"] = p.digest
	}
	return t.r.describe(c, text, shown)
}

// restore renders the way back of a transfer to one host.
func (t *task) restore(u engine.Unit, names *expr.Scope) (rendered, error) {
	c, shown, err := t.transferCommand(u, names)
	if err != nil {
		return rendered{}, err
	}
	c.Script = restoreScript
	shown["action"] = "restore"
	return t.r.describe(c, "restore what was at "+shown["destination"], shown)
}

// transferCommand is what put and restore share, with what of it is shown and hashed.
func (t *task) transferCommand(u engine.Unit, names *expr.Scope) (engine.Command, map[string]string, error) {
	c := engine.Command{Timeout: t.work.timeout}
	shown := map[string]string{"mode": t.item.Mode}
	values := []struct {
		e    *expr.Expr
		name string
		env  string
	}{{t.item.Destination, "destination", "CONTINUO_DEST"}, {t.item.OwnerUser, "owner_user", "CONTINUO_USER"}, {t.item.OwnerGroup, "owner_group", "CONTINUO_GROUP"}}
	for _, v := range values {
		text, err := evalText(v.e, names)
		if err != nil {
			return c, nil, err
		}
		shown[v.name] = text
		c.Env = append(c.Env, engine.Env{Name: v.env, Value: text})
	}
	if dest := shown["destination"]; !path.IsAbs(dest) || strings.HasSuffix(dest, "/") || strings.ContainsAny(dest, "\n\x00") {
		return c, nil, fmt.Errorf("%s: destination %q: want the absolute path of a file", t.item.Destination.Range(), dest)
	}
	become, err := evalText(t.item.Become, names)
	if err != nil {
		return c, nil, err
	}
	c.Become = become
	backup := ""
	if t.item.Backup {
		backup = "yes"
	}
	// The backup's name is the unit's own, so that a rollback finds it, also after a resume.
	id := engine.NewAttemptID(t.r.backupNonce(), string(u.Item), "backup", u.AttemptKey(), u.Host, 0)
	c.Env = append(c.Env, engine.Env{Name: "CONTINUO_MODE", Value: t.item.Mode}, engine.Env{Name: "CONTINUO_BACKUP", Value: backup},
		engine.Env{Name: "CONTINUO_ID", Value: string(id)})
	return c, shown, nil
}

// describe is a rendered command that is shown and hashed by what it means, not by its script.
func (r *run) describe(c engine.Command, text string, shown map[string]string) (rendered, error) {
	b, err := json.Marshal(shown)
	if err != nil {
		return rendered{}, fmt.Errorf("digest of a transfer: %w", err)
	}
	sum := sha256.Sum256(b)
	short, err := r.short(r.cfg.Redactor.Redact(text))
	return rendered{Command: c, text: short, digest: hex.EncodeToString(sum[:])}, err
}

// transferred reads from the script's words whether the host's file was changed.
func (t *trial) transferred(o *output, p parcel) {
	if t.outcome != engine.Succeeded {
		return
	}
	changed := strings.HasPrefix(string(o.stdout.kept), "changed")
	t.changed = &changed
	digest := expr.String(p.digest)
	if p.sensitive {
		digest = digest.AsSensitive()
	}
	d := t.result()
	d["sha256"], d["changed"] = digest, expr.Bool(changed)
}

// unsendable ends a transfer that has nothing to send: before anything was intended.
func (r *run) unsendable(t *trial, err error) error {
	if errors.Is(err, engine.ErrUnreachable) {
		t.fail(engine.Unreachable, causeUnreachable, r.clip(errText(err)))
		return nil
	}
	return r.unrendered(t, err)
}
