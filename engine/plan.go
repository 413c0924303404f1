package engine

import "github.com/continuo-runbooks/continuo/runbooks"

// Plan is the frozen intent of a run: what would happen, in order, with what is known before anything connects. It is
// pure data, made by package planner, the same bytes for the same inputs. Its JSON form is `continuo/plan/v1`.
type Plan struct {
	Schema  string `json:"schema"` // PlanSchema
	Runbook string `json:"runbook"`
	// Digest is "sha256:<hex>" over the JSON of the plan with an empty Digest.
	Digest   string `json:"digest"`
	Project  string `json:"project"`
	Title    string `json:"title,omitempty"`
	Service  string `json:"service,omitempty"`
	Owner    string `json:"owner,omitempty"`
	Version  string `json:"version,omitempty"`
	Timezone string `json:"timezone,omitempty"`
	Failback string `json:"failback,omitempty"`
	// UpdateEveryS is how often stakeholders are promised a progress update, in seconds; 0: not promised.
	UpdateEveryS float64         `json:"update_every_s,omitempty"`
	Exercise     *PlanExercise   `json:"exercise,omitempty"`
	Scenario     *PlanScenario   `json:"scenario,omitempty"`
	Variables    []PlanVariable  `json:"variables,omitempty"`
	Hosts        []PlanHost      `json:"hosts"`
	Marks        []string        `json:"marks,omitempty"`
	Goals        []PlanObjective `json:"objectives,omitempty"`
	Phases       []PlanPhase     `json:"phases"`
	Items        []PlanItem      `json:"items"`
	// CriticalPath is the chain of items that decides the duration, by timeout or known duration.
	CriticalPath []runbooks.ItemID `json:"critical_path,omitempty"`
}

// PlanSchema names the JSON form of a Plan.
const PlanSchema = "continuo/plan/v1"

// PlanExercise is the drill's defaults, from the runbook's exercise block.
type PlanExercise struct {
	Type             string `json:"type,omitempty"`
	ProductionImpact string `json:"production_impact,omitempty"`
}

// PlanScenario is what the drill assumes.
type PlanScenario struct {
	Title       string   `json:"title,omitempty"`
	Severity    string   `json:"severity,omitempty"`
	Assumptions []string `json:"assumptions,omitempty"`
}

// PlanVariable is a variable and its value as shown; sensitive ones show "(sensitive)".
type PlanVariable struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	Sensitive bool   `json:"sensitive,omitempty"`
}

// PlanHost is a host that the plan may touch.
type PlanHost struct {
	Name        string `json:"name"`
	Address     string `json:"address,omitempty"`
	Port        int    `json:"port,omitempty"`
	User        string `json:"user,omitempty"`
	Site        string `json:"site,omitempty"`
	Environment string `json:"environment,omitempty"`
	CI          string `json:"ci,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Via         string `json:"via,omitempty"`
	Plain       bool   `json:"plain,omitempty"`
	Control     bool   `json:"control,omitempty"`
}

// PlanObjective is an agreed level. Times are in seconds.
type PlanObjective struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"` // elapsed, recovery-point, measured
	TargetS *float64 `json:"target_s,omitempty"`
	From    string   `json:"from,omitempty"`
	To      string   `json:"to,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
}

// PlanPhase is a phase and its items in order.
type PlanPhase struct {
	Name  string            `json:"name"`
	Title string            `json:"title,omitempty"`
	Owner string            `json:"owner,omitempty"`
	Items []runbooks.ItemID `json:"items"`
	// Rollout divides the hosts of the phase: all its items run for one batch, then for the next. Nil: none.
	Rollout *PlanRollout `json:"rollout,omitempty"`
}

// PlanRollout is how hosts are divided into batches.
type PlanRollout struct {
	// Phase: it is that of the item's phase, whose every item runs for each batch.
	Phase bool `json:"phase,omitempty"`
	// Hosts of a phase in the order of its batches; empty when they are decided at run time, and for items.
	Hosts []string `json:"hosts,omitempty"`
	// Batches are the sizes of the batches; empty when the hosts are decided at run time.
	Batches     []int    `json:"batches,omitempty"`
	Sizes       []string `json:"sizes,omitempty"` // as written: "1", "25%"; empty: all at once
	Parallel    int      `json:"parallel,omitempty"`
	PauseS      float64  `json:"pause_s,omitempty"`
	MaxFailures []string `json:"max_failures,omitempty"` // as written; empty: none may fail
	// AfterBatch: a check follows each batch, and its failure stops the rollout.
	AfterBatch bool `json:"after_batch,omitempty"`
}

// Disposition is what is known of an item before the run.
type Disposition string

// The dispositions.
const (
	WillRun  Disposition = "will-run"
	WillSkip Disposition = "will-skip"
	RunTime  Disposition = "run-time" // decided at run time; WaitsFor names what it waits for
)

// PlanItem is one item of a plan.
type PlanItem struct {
	ID    runbooks.ItemID `json:"id"`
	Kind  runbooks.Kind   `json:"kind"`
	Phase string          `json:"phase"`
	Lane  string          `json:"lane,omitempty"`
	Title string          `json:"title,omitempty"`
	Owner string          `json:"owner,omitempty"`
	// Hosts are the hosts it runs on; its candidates when they are decided at run time.
	Hosts       []string          `json:"hosts"`
	After       []runbooks.ItemID `json:"after"`
	Disposition Disposition       `json:"disposition"`
	WaitsFor    []string          `json:"waits_for,omitempty"`
	// When are the conditions, as written, of which the run will know whether they hold: its own and its phase's.
	When       []string `json:"when,omitempty"`
	SkipReason string   `json:"skip_reason,omitempty"`
	// Options are what a decision offers; Stops those of them that fail it.
	Options []string `json:"options,omitempty"`
	Stops   []string `json:"stops,omitempty"`
	// Severity is "finding" when a failure of this check is a deviation only.
	Severity     string          `json:"severity,omitempty"`
	Irreversible bool            `json:"irreversible"`
	Effect       runbooks.Effect `json:"effect"`
	ForEach      bool            `json:"for_each"`
	Elements     []string        `json:"elements,omitempty"`
	Rollout      *PlanRollout    `json:"rollout,omitempty"`
	Marks        []string        `json:"marks,omitempty"`
	MarksStart   []string        `json:"marks_start,omitempty"`
	HasVerify    bool            `json:"has_verify,omitempty"`
	HasRollback  bool            `json:"has_rollback,omitempty"`
	Become       string          `json:"become,omitempty"`
	TimeoutS     float64         `json:"timeout_s,omitempty"`
	// Commands are what would run, as far as known: one entry when all hosts share it.
	Commands    []PlanCommand `json:"commands,omitempty"`
	Expects     []string      `json:"expects,omitempty"` // conditions as written
	Fingerprint string        `json:"fingerprint"`
}

// PlanCommand is a command as rendered for a host, sensitive parts shown as "(sensitive)".
type PlanCommand struct {
	Part PartName `json:"part,omitempty"` // empty: the item's own command
	Host string   `json:"host,omitempty"` // empty: the same on all
	// Hosts are where a part runs that does not run on the item's hosts.
	Hosts       []string `json:"hosts,omitempty"`
	Become      string   `json:"become,omitempty"` // when it differs from the item's
	Interpreter []string `json:"interpreter,omitempty"`
	Argv        []string `json:"argv,omitempty"`
	// Script is the text with what is not known shown as "(not known yet)".
	Script string `json:"script,omitempty"`
	Probe  string `json:"probe,omitempty"` // tcp and http checks, manual text, wait
	Known  bool   `json:"known"`
}

// Item returns the plan's entry of that id, or nil.
func (p *Plan) Item(id runbooks.ItemID) *PlanItem {
	for i := range p.Items {
		if p.Items[i].ID == id {
			return &p.Items[i]
		}
	}
	return nil
}
