package executor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
)

func TestProbe_tcp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attrs   string
		answers []simtransport.Answer // the witness first, where there is one
		outcome engine.Outcome
		cause   string
		reason  string
		state   string
	}{
		"open":                          {"want = \"open\"", []simtransport.Answer{{State: engine.TCPOpen}}, engine.Succeeded, "", "", "open"},
		"refused is closed":             {"want = \"closed\"", []simtransport.Answer{{State: engine.TCPRefused}}, engine.Succeeded, "", "", "refused"},
		"no answer is closed":           {"want = \"closed\"", []simtransport.Answer{{State: engine.TCPNoAnswer}}, engine.Succeeded, "", "", "no-answer"},
		"refused, not silent":           {"want = \"no-answer\"", []simtransport.Answer{{State: engine.TCPRefused}}, engine.Failed, "expectation", "it is refused", ""},
		"open where it is not wanted":   {"want = \"closed\"", []simtransport.Answer{{State: engine.TCPOpen}}, engine.Failed, "expectation", "it is open", ""},
		"without a want it never fails": {"", []simtransport.Answer{{State: engine.TCPNoAnswer}}, engine.Succeeded, "", "", "no-answer"},
		"the witness is open": {"want = \"closed\"\nwitness = \"10.9.9.9:443\"",
			[]simtransport.Answer{{State: engine.TCPOpen}, {State: engine.TCPNoAnswer}}, engine.Succeeded, "", "", "no-answer"},
		"a dark witness concludes nothing": {"want = \"closed\"\nwitness = \"10.9.9.9:443\"",
			[]simtransport.Answer{{State: engine.TCPNoAnswer}}, engine.Failed, "inconclusive", "witness 10.9.9.9:443 is no-answer", ""},
		"a vantage out of reach concludes nothing": {"want = \"closed\"", []simtransport.Answer{{Err: engine.ErrUnreachable}},
			engine.Failed, "inconclusive", "cannot be seen from there", ""},
	}
	for name, tt := range tests {
		for _, from := range []string{"", "from = host.a"} {
			t.Run(name+" "+from, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, engine.Live, `
phase "p" {
  check "dark" {
    tcp {
      address = "10.1.0.11:5432"
      `+from+`
      `+tt.attrs+`
    }
  }
  assert "seen" {
    condition = check.dark.state == "`+tt.state+`"
    message   = "no"
  }
}`)
				answers := tt.answers
				if strings.Contains(tt.attrs, "witness") {
					w.sim.On("check.dark", engine.PartWitness, answers[0])
					answers = answers[1:]
				}
				w.sim.On("check.dark", engine.PartCommand, answers...)
				rec := w.run()
				u := item(rec, "check.dark").Units[0]
				require.Equal(t, tt.outcome, u.Outcome)
				require.Equal(t, tt.cause, u.Cause)
				require.Contains(t, u.Reason, tt.reason)
				for _, c := range w.sim.Calls() {
					require.Equal(t, map[bool]string{true: "control", false: "a"}[from == ""], c.On)
				}
				if tt.outcome == engine.Succeeded {
					require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
				}
			})
		}
	}
}

func TestProbe_http(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attrs   string
		answer  simtransport.Answer
		outcome engine.Outcome
		cause   string
	}{
		"any 2xx":       {"", simtransport.Answer{Status: 204}, engine.Succeeded, ""},
		"a redirect":    {"", simtransport.Answer{Status: 302}, engine.Failed, "expectation"},
		"as wanted":     {"want_status = [301, 302]", simtransport.Answer{Status: 302}, engine.Succeeded, ""},
		"not as wanted": {"want_status = [200]", simtransport.Answer{Status: 503}, engine.Failed, "expectation"},
		"no answer":     {"", simtransport.Answer{Err: &engine.HostError{Kind: "dial", Host: "control", Err: engine.ErrUnreachable}}, engine.Unreachable, "dial"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine.Live, `
phase "p" {
  check "up" {
    http {
      url = "https://pay.example.org/health"
      `+tt.attrs+`
    }
    expect { condition = result.stdout == "" || strcontains(result.stdout, "ok") }
  }
}`)
			tt.answer.Stdout = "all ok"
			w.sim.On("check.up", engine.PartCommand, tt.answer)
			rec := w.run()
			u := item(rec, "check.up").Units[0]
			require.Equal(t, tt.outcome, u.Outcome, u.Reason)
			require.Equal(t, tt.cause, u.Cause)
			require.Empty(t, u.Host)
			require.Equal(t, "GET https://pay.example.org/health", u.Command)
			if tt.outcome == engine.Succeeded {
				require.Equal(t, engine.Passed, rec.Verdict, rec.Why)
				require.Equal(t, "all ok", u.Outputs[0].Text)
			}
		})
	}
}
