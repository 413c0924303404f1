package cli

import (
	"context"
	"errors"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// finish ends the record as far as it can be ended, says what the run came to, and gives its exit code.
func (s *session) finish(_ context.Context) error {
	a := s.app
	end := view.Ending{Record: &s.record, Bundle: s.run.Dir}
	codes := []Code{}
	if s.err != nil {
		end.Problems = append(end.Problems, s.err.Error())
		codes = append(codes, BadEvidence)
	}
	if err := s.run.Close(); err != nil && !errors.Is(s.err, err) {
		end.Problems = append(end.Problems, err.Error())
		codes = append(codes, BadEvidence)
	}
	codes = append(codes, runCode(&s.record))
	a.err.RunEnd(end)
	if a.global.json {
		if err := report.NewRunDocument(&s.record, s.run.Dir).JSON(a.out); err != nil {
			return err
		}
	}
	return exit(worst(codes...))
}

var _ = engine.Live
