package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// maxTransfer bounds the size of one transferred file in bytes: it is held in memory, once for all hosts.
const maxTransfer = 64 << 20

// A transfer is an attempt like any other: a script that takes the content on stdin, compares its digest on the host and
// renames it into place. So everything that holds for steps holds for transfers: intent, claim, watchdog, become.
var (
	//go:embed scripts/put.sh
	putScript string
	//go:embed scripts/restore.sh
	restoreScript string
)

// parcel is what a transfer puts on a host.
type parcel struct {
	content   []byte
	digest    string
	sensitive bool
}

// parcel loads the content: a file of the project, an expression, or a file of another host.
func (t *task) parcel(ctx context.Context, u engine.Unit, names *expr.Scope) (parcel, error) {
	var p parcel
	var err error
	switch s := t.item.Source; {
	case s.File != "":
		p.content, err = t.projectFile(s.File)
	case s.Content != nil:
		p, err = contentOf(s.Content, names)
	default:
		p.content, err = t.fetch(ctx, u, names)
	}
	if err != nil {
		return p, err
	}
	if len(p.content) > maxTransfer {
		return p, fmt.Errorf("%d bytes to transfer, more than the %d that this version holds in memory", len(p.content), maxTransfer)
	}
	sum := sha256.Sum256(p.content)
	p.digest = hex.EncodeToString(sum[:])
	return p, nil
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
		return parcel{}, err
	}
	text, err := v.Reveal()
	if err != nil {
		return parcel{}, at(e, err)
	}
	return parcel{content: []byte(text), sensitive: v.IsSensitive()}, nil
}

// fetch reads a file of another host, which only reads, and compares it with the digest that the author expects.
func (t *task) fetch(ctx context.Context, u engine.Unit, names *expr.Scope) ([]byte, error) {
	s := t.item.Source
	hosts, _, err := t.hostsOf(s.Host, names)
	if err != nil {
		return nil, err
	}
	if len(hosts) != 1 {
		return nil, fmt.Errorf("%s: %d hosts to take the file from, and it takes one", s.Host.Range(), len(hosts))
	}
	file, err := evalText(s.Path, names)
	if err != nil {
		return nil, err
	}
	want, err := evalText(s.SHA256, names)
	if err != nil {
		return nil, err
	}
	become, err := evalText(t.item.Become, names)
	if err != nil {
		return nil, err
	}
	o, err := engine.NewObservation(runbooks.Transfer, engine.PartSource, engine.Command{
		Argv: []string{"cat", "--", file}, Become: become, Timeout: t.work.timeout,
	})
	if err != nil {
		return nil, err
	}
	var content, problem bounded
	ctx = engine.WithPlace(ctx, engine.Place{Unit: u, Part: engine.PartSource})
	st, err := t.r.cfg.Prober.Observe(ctx, hosts[0], o, engine.OutputSink{Stdout: &content, Stderr: &problem})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s on %s: %w", file, hosts[0].Name, err)
	case st.Code != 0 || st.Signal != "" || st.TimedOut:
		return nil, fmt.Errorf("read %s on %s: exit code %d: %s", file, hosts[0].Name, st.Code, strings.TrimSpace(problem.String()))
	}
	sum := sha256.Sum256(content.Bytes())
	if got := hex.EncodeToString(sum[:]); want != "" && !strings.EqualFold(got, want) {
		return nil, fmt.Errorf("read %s on %s: its SHA-256 is %s, not %s", file, hosts[0].Name, got, want)
	}
	return content.Bytes(), nil
}

// bounded keeps a little more than may be transferred, so that too much is seen.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer and takes everything.
func (b *bounded) Write(p []byte) (int, error) {
	if room := maxTransfer + 1 - b.Len(); room > 0 {
		_, _ = b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// put renders the transfer to one host.
func (t *task) put(p parcel, u engine.Unit, names *expr.Scope) (rendered, error) {
	c, shown, err := t.transferCommand(u, names)
	if err != nil {
		return rendered{}, err
	}
	c.Script, c.Stdin = putScript, p.content
	if c.Stdin == nil {
		c.Stdin = []byte{}
	}
	c.Env = append(c.Env, engine.Env{Name: "CONTINUO_SHA256", Value: p.digest, Secret: p.sensitive})
	shown["action"] = "put"
	text := fmt.Sprintf("put %s (%d bytes, sha256 %s)", shown["destination"], len(p.content), p.digest)
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
	id := engine.NewAttemptID(t.r.cfg.Opened.Nonce, string(u.Item), "backup", u.AttemptKey(), u.Host, 0)
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
