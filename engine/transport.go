package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Command is what runs on a host, fully rendered. Exactly one of Argv and Script is set. It may hold secrets in Env and
// Stdin: it is never printed, logged or hashed as a whole.
type Command struct {
	Argv        []string // executed without a shell
	Script      string
	Interpreter []string // of Script; empty: /bin/sh -eu
	Env         []Env    // in order; names match [A-Za-z_][A-Za-z0-9_]*
	Stdin       []byte   // nil and no Input: /dev/null
	Input       *Input   // instead of Stdin, for what is too large for memory
	WorkingDir  string   // empty: the home of the user it runs as
	Become      string   // user; empty: the login user
	Timeout     time.Duration
}

// Input is what a command reads, from a source that need not be in memory.
type Input struct {
	Size int64 // bytes that Open's reader gives; fewer or more is an error, and nothing is started
	// Open is called at most once for a launch. Its reader is closed.
	Open func() (io.ReadCloser, error)
}

// Env is one variable of a command's environment.
type Env struct {
	Name, Value string
	Secret      bool
}

// Observation is a Command that only reads, by its author's word. It can be made by NewObservation only, from a part
// that may observe: this is what keeps a dry-run from executing a step.
type Observation struct {
	cmd  Command
	kind runbooks.Kind
	part PartName
}

// ErrNotAnObservation is returned for a command that is no check, unless or verify.
var ErrNotAnObservation = errors.New("only a check, an unless or a verify observes")

// NewObservation wraps the command of a check, the unless or verify part of a step or transfer, or the reading of the file
// that a transfer takes from another host.
func NewObservation(kind runbooks.Kind, part PartName, cmd Command) (Observation, error) {
	ok := kind == runbooks.Check && part == PartCommand ||
		(kind == runbooks.Step || kind == runbooks.Transfer) && (part == PartUnless || part == PartVerify) ||
		kind == runbooks.Transfer && part == PartSource
	if !ok {
		return Observation{}, fmt.Errorf("%s of a %s: %w", part, kind, ErrNotAnObservation)
	}
	return Observation{cmd: cmd, kind: kind, part: part}, nil
}

// Command is what to run.
func (o Observation) Command() Command { return o.cmd }

// Part says what the observation was built from.
func (o Observation) Part() PartName { return o.part }

// OutputSink takes a command's streams as they arrive. Both writers are always drained: a slow one slows the record,
// never the command on the host. They are not used after the call that was given the sink has returned.
type OutputSink struct {
	Stdout, Stderr io.Writer
}

// ExitStatus is how a command ended on its host. It is known for certain: an uncertain end is ErrOutcomeUnknown.
type ExitStatus struct {
	Code   int    // 128 and the signal's number after a signal, as a shell says it
	Signal string // without SIG; empty: exited, or the host's shell has forgotten
	// TimedOut: the watchdog's kill ended it. KillConfirmed: it was seen gone afterwards.
	TimedOut       bool
	KillConfirmed  bool
	Survivors      []string
	BackgroundOpen bool // something left behind still held an output stream when the command ended
	Reattached     int
	// StartedAt and EndedAt are the host's word where it gave one, else the controller's clock.
	StartedAt, EndedAt time.Time
}

// The ways in which no exit status comes back. Test with errors.Is.
var (
	// ErrOutcomeUnknown: it started, or may have, and nobody knows how it ended. Never retried by anyone but a person,
	// an idempotent step or a verify.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrLost is an ErrOutcomeUnknown of which nothing can run any more: its process was seen dead, or its boot is gone.
	// Only then may a verify settle it.
	ErrLost = fmt.Errorf("%w: it has ended, and its result is lost", ErrOutcomeUnknown)
	// ErrLeft is the cause (context.Cause) of a context that ends because the controller leaves the run: Start and
	// Collect return at once with an error that wraps it, and what runs on the host runs on.
	ErrLeft = errors.New("the run was left")
	// ErrUnreachable: no launch was sent.
	ErrUnreachable = errors.New("unreachable")
	// ErrNeverStarted: proven, it did not start and never will. A new attempt is safe.
	ErrNeverStarted = errors.New("never started")
	// ErrRefused: the host was reached and would not run it (state directory, become, interpreter); nothing ran.
	ErrRefused = errors.New("refused by the host")
)

// HostError says what went wrong with which host and what to do. Kind is one of the causes of ItemOutcome: dial,
// host-key, auth, handshake, lost-connection, become, state-directory, program, credential-expired and the like.
type HostError struct {
	Kind string
	Host string
	Addr string
	Err  error // wraps one of the Err… above
	Hint string
}

// Error is one line, lower case: operation, host, address, cause.
func (e *HostError) Error() string {
	if e.Addr == "" {
		return fmt.Sprintf("%s: %v", e.Host, e.Err)
	}
	return fmt.Sprintf("%s (%s): %v", e.Host, e.Addr, e.Err)
}

// Unwrap gives the cause.
func (e *HostError) Unwrap() error { return e.Err }

// Prober observes hosts. It is all that a dry-run is given.
//
// The context's end means: stop waiting; the caller no longer wants the answer. A lost connection during an observation
// is ErrUnreachable (it may be asked again); retrying is the caller's business, dialling with back-off the transport's.
// Safe for concurrent use. Connections are kept between calls until Close.
type Prober interface {
	// Preflight answers the questions of PreflightRequest for one host. A host out of reach is a result, not an error;
	// the error is the context's.
	Preflight(ctx context.Context, h *runbooks.Host, req PreflightRequest) (PreflightResult, error)
	// Observe runs a read-only command. A nil error means that the exit status is the command's own.
	Observe(ctx context.Context, h *runbooks.Host, o Observation, sink OutputSink) (ExitStatus, error)
	// ProbeTCP asks from h (which may be the control host) what a connection to address (host:port) meets.
	ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (TCPState, error)
	io.Closer
}

// HTTPProber asks one HTTP question from the control host. Redirects are answers, never followed; no proxy is used.
// Any response is a nil error; no response is a HostError that wraps ErrUnreachable.
type HTTPProber interface {
	ProbeHTTP(ctx context.Context, q HTTPRequest, body io.Writer) (HTTPResponse, error)
}

// HTTPRequest is one GET or HEAD. Header values may be secret.
type HTTPRequest struct {
	Method  string
	URL     string
	Headers []Env
	CAFile  string // PEM bundle to trust instead of the system's; an absolute path; empty: the system's
	Timeout time.Duration
}

// HTTPResponse is what came back. The body went to the writer.
type HTTPResponse struct {
	Status int
}

// Launcher changes hosts. A dry-run has none.
type Launcher interface {
	// Prepare reaches the host and says what it is now. Nothing is launched.
	Prepare(ctx context.Context, h *runbooks.Host, become string) (Prepared, error)
	// Start launches the attempt and returns when it has ended. The caller has the intent on disk. It is called at most
	// once for an AttemptID by one controller. When ctx ends, the command is killed on the host and the status says so
	// (unless the cause is ErrLeft).
	// The returned Release, never nil, must be called once the outcome is on disk: only then may the host forget
	// anything about the attempt.
	Start(ctx context.Context, h *runbooks.Host, a Attempt, sink OutputSink) (ExitStatus, Release, error)
	// Collect finds out what became of an attempt that an earlier controller may have launched: it fences it
	// (ErrNeverStarted), follows it to its end, or says ErrOutcomeUnknown. What it had written before is given to sink again.
	// The Release is as that of Start, or nil.
	Collect(ctx context.Context, h *runbooks.Host, a Attempt, sink OutputSink) (ExitStatus, Release, error)
}

// Release lets the host forget what is not needed any more: scripts, input and output, never the claim.
type Release func()

// Prepared is what Prepare found.
type Prepared struct {
	// Transport is how attempts run on this host: durable, plain, control, simulated.
	Transport   string
	Incarnation *Incarnation // durable only
}

// Attempt is one launch.
type Attempt struct {
	ID          AttemptID
	Command     Command
	Incarnation *Incarnation
}

// PreflightRequest says what the plan will need from a host.
type PreflightRequest struct {
	Becomes      []string // users that items become
	Interpreters []string // absolute paths or names
	Programs     []string // argv[0] of the commands
	// Steps: attempts will be launched here, so the state directory must be writable.
	Steps bool
}

// TCPState is what a connection met.
type TCPState string

// The answers of a TCP probe.
const (
	TCPOpen     TCPState = "open"
	TCPRefused  TCPState = "refused"
	TCPNoAnswer TCPState = "no-answer"
)

// Secrets resolves the project's secrets by name. Errors never hold the value.
type Secrets interface {
	Secret(ctx context.Context, name string) (string, error)
}

// People asks persons. Implementations return ErrNobody when there is no one to ask.
type People interface {
	// Manual asks for a manual item to be done and returns who said so.
	Manual(ctx context.Context, q ManualQuestion) (ManualAnswer, error)
}

// ErrNobody: a question, and no person to answer it.
var ErrNobody = errors.New("nobody to ask")

// ManualQuestion is what is shown for a manual item.
type ManualQuestion struct {
	Item         runbooks.ItemID `json:"item,omitempty"`
	Part         PartName        `json:"part,omitempty"` // PartRollback: to undo what was done; else empty
	Title        string          `json:"title,omitempty"`
	Instructions string          `json:"instructions,omitempty"` // Markdown
	Owner        string          `json:"owner,omitempty"`
	Role         string          `json:"role,omitempty"`    // whose members may say so; empty: anyone
	Members      []string        `json:"members,omitempty"` // of the role
	Missing      int             `json:"missing,omitempty"` // how many distinct people are still needed
	Refused      string          `json:"refused,omitempty"` // why the last answer did not count
	Inputs       []ManualInput   `json:"inputs,omitempty"`
}

// ManualInput is a value that is asked for. Check converts and validates what was typed.
type ManualInput struct {
	Name      string                  `json:"name,omitempty"`
	Type      string                  `json:"type,omitempty"`
	Sensitive bool                    `json:"sensitive,omitempty"`
	Check     func(text string) error `json:"-"`
}

// ManualAnswer is a person's word.
type ManualAnswer struct {
	By     string
	Signed bool // By is proven by a signature, not only claimed
	Done   bool // false: it could not be done; Note says why
	Inputs map[string]string
	Note   string
}

// Artifacts stores output, redacted, by content. Create returns a writer for one stream; the writer's Close gives the
// event that refers to it. Memory stays bounded whatever is written.
type Artifacts interface {
	Create() (ArtifactWriter, error)
	// Put stores a text (a command over 4 KiB) and returns its SHA-256.
	Put(data []byte) (string, error)
}

// ArtifactWriter takes one stream. Write never fails for the command's sake: a failing disk shows in Finish.
type ArtifactWriter interface {
	io.Writer
	// Finish ends the stream and fills the size, digest, text, artifact and redaction fields of an ItemOutput.
	Finish() (ItemOutput, error)
}

// Scratch keeps what is too large for memory while a run works with it, such as the file that a transfer takes from
// another host. It is no evidence, nobody else can read it, and nothing of it outlives the process.
type Scratch interface {
	Create() (ScratchFile, error)
}

// ScratchFile is written once, from its beginning, and then read, by any number of readers at once, until it is closed.
type ScratchFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// Redactor replaces secrets in short texts: commands, reasons, captured values.
type Redactor interface {
	Redact(s string) string
}

// Learner is a Redactor that is told further secrets while a run goes on: a secret when it is resolved, a sensitive
// capture before its output is written. Once Add has returned nil, the value is redacted everywhere; an error means
// that it cannot be (too short) and that nothing may use it. Safe for concurrent use.
type Learner interface {
	Redactor
	Add(name, value string) error
}
