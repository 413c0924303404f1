package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Digests are what run.opened says about the inputs of a run.
type Digests struct {
	PlanSHA256, PlanDigest, ProjectSHA256, VariablesSHA256 string
}

// Fill puts the digests into run.opened.
func (d Digests) Fill(p *engine.RunOpened) {
	p.PlanSHA256, p.PlanDigest = d.PlanSHA256, d.PlanDigest
	p.ProjectSHA256, p.VariablesSHA256 = d.ProjectSHA256, d.VariablesSHA256
}

func sum(data []byte) string {
	d := sha256.Sum256(data)
	return hex.EncodeToString(d[:])
}

// encodePlan gives the bytes of plan.json: indented, one LF at the end.
func encodePlan(p *engine.Plan) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ProjectDigest is the SHA-256 of the project's files as `sha256sum` lists them in a bundle: one line a file,
// "<hex>  project/<name>", sorted by name.
func ProjectDigest(files []runbooks.File) (string, error) {
	entries, err := projectEntries(files)
	if err != nil {
		return "", err
	}
	return projectDigest(entries), nil
}

// projectDigest is ProjectDigest of the entries of project/.
func projectDigest(entries []Entry) string { return sum(formatSums(entries)) }

func projectEntries(files []runbooks.File) ([]Entry, error) {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	names, err := encodeNames(paths)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(files))
	for i, f := range files {
		entries[i] = Entry{Name: ProjectDir + "/" + names[f.Path], SHA256: sum(f.Data)}
	}
	return entries, nil
}

// VariablesDigest is the SHA-256 of the variables as JSON. Sensitive ones are in it without their value.
func VariablesDigest(vars []engine.PlanVariable) (string, error) {
	vars = slices.Clone(vars)
	if vars == nil {
		vars = []engine.PlanVariable{}
	}
	data, err := json.Marshal(vars)
	if err != nil {
		return "", fmt.Errorf("digest of the variables: %w", err)
	}
	return sum(data), nil
}
