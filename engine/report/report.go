// Package report turns a run's record into something to read: one model (Report, made by Build) and its faces, HTML,
// Markdown and JSON for people, JUnit, CSV, in-toto and OSCAL for other programs.
//
// The faces add nothing: what they state is in the Report, and what the Report states is in the engine.Record, which is
// computed from plan and events alone. The same record gives the same bytes: nothing here reads a clock, an
// environment or a file.
//
// Three rules hold in every face. A dry-run says so wherever its result is named, has no objectives and no word of
// having passed. What was not measured is said to be so; it is never filled in. Bytes from hosts are shown, never
// obeyed: control, escape and bidirectional characters are made visible.
package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zone of a report must not depend on the machine that renders it having a zone database

	"github.com/continuo-runbooks/continuo/engine"
)

// Schema names the JSON form of a Report.
const Schema = "continuo/report/v1"

// Renderer is the version of the faces for people. verify compares HTML and Markdown byte for byte only with the same
// one; it changes whenever their bytes may.
const Renderer = 1

// Options say what a report shows beside its record. The zero value gives the report that is in the bundle.
type Options struct {
	// Timezone is an IANA name; times are shown in UTC and in this zone. Empty: the plan's.
	Timezone string
	// Signed are the signed pieces that are not events: approvals, and what came after the seal. In order of time.
	Signed []Signed
	// OSCALVersion is the version that OSCAL documents say they are of, one of OSCALVersions. Empty: the newest.
	OSCALVersion string
}

// Signed is a signed piece of the bundle: an approval, or one of after/ (review, addendum, timestamp, withdrawal).
type Signed struct {
	Kind      string    `json:"kind"` // approval, review, addendum, timestamp, withdrawal
	Role      string    `json:"role,omitempty"`
	Principal string    `json:"principal,omitempty"`
	At        time.Time `json:"at,omitzero"` // as the piece states it
	Subject   string    `json:"subject,omitempty"`
	Text      string    `json:"text,omitempty"`
	Path      string    `json:"path,omitempty"` // in the bundle
	// Verified: whoever built the report checked the signature, and it holds. Only then does a review or an approval count.
	Verified bool `json:"verified"`
	// Problem is why it is not verified: the signature does not hold, or there was nothing to check it with.
	Problem string `json:"problem,omitempty"`
}

// Build makes the report of a record. It fails only when the record has no plan or the zone does not exist.
func Build(rec *engine.Record, opts Options) (*Report, error) {
	if rec == nil || rec.Plan == nil {
		return nil, errors.New("build report: the record has no plan")
	}
	name := cmp.Or(opts.Timezone, rec.Plan.Timezone, "UTC")
	loc, err := zone(name)
	if err != nil {
		return nil, fmt.Errorf("build report: %w", err)
	}
	oscal := cmp.Or(opts.OSCALVersion, OSCALVersions()[0])
	if !slices.Contains(OSCALVersions(), oscal) {
		return nil, fmt.Errorf("build report: OSCAL %q is not one of %s", oscal, strings.Join(OSCALVersions(), ", "))
	}
	r := &Report{
		Schema: Schema, Renderer: Renderer, Timezone: name, loc: loc, oscalVersion: oscal,
		Run:        buildRun(rec),
		Scenario:   rec.Plan.Scenario,
		Verdict:    VerdictPart{Verdict: rec.Verdict, Rule: rec.Why, Closed: rec.Closed, Claimed: rec.Claimed},
		Deviations: rec.Deviations,
		Marks:      rec.Marks,
		Actions:    buildActions(rec),
		Rollback:   buildRollback(rec),
		Batches:    buildBatches(rec),
		Unknown:    rec.Unknown,
		Coverage:   rec.Coverage,
		Variables:  rec.Plan.Variables,
		Hosts:      buildHosts(rec),
		Digests:    buildDigests(rec),
		Tool:       rec.Opened.Tool,
		Signed:     opts.Signed,
	}
	r.Items = buildItems(rec)
	markCriticalPath(r.Items)
	r.Phases = buildPhases(rec)
	r.NotExecuted = buildNotExecuted(rec)
	r.Failures = buildFailures(r.Items)
	r.People = buildPeople(rec, opts.Signed)
	r.Cleanup = buildCleanup(rec)
	r.Limits = buildLimits(rec)
	if rec.Mode != engine.DryRun {
		r.Objectives = buildObjectives(rec)
	}
	return r, nil
}

// zone finds a time zone. The machine's own zone has no name that an auditor could look up, so it is refused.
func zone(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return loc, nil
}
