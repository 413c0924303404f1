package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// finish ends the record as far as it can be ended, says what the run came to, leaves the hosts, and gives the exit code.
func (s *session) finish(ctx context.Context) error {
	defer s.leave()
	a := s.app
	end := view.Ending{Record: &s.record, Bundle: s.run.Dir}
	codes := []Code{runCode(&s.record)}
	err := s.err
	if cerr := s.run.Close(); cerr != nil && (err == nil || !errors.Is(err, cerr)) {
		err = errors.Join(err, cerr)
	}
	if err != nil {
		end.Problems = append(end.Problems, err.Error())
		if isFull(err) {
			end.Problems = append(end.Problems, stateHint(err, a.stateDir()))
		}
		codes = append(codes, BadEvidence)
	}
	if err == nil && s.record.Closed {
		f := sealFlags{signWith: s.flags.signWith, by: s.flags.operator}
		codes = append(codes, a.sealDir(ctx, &end, s.run.Dir, s.ask, f, s.redactor))
	}
	code := worst(codes...)
	end.Next = s.next(end, code)
	a.err.RunEnd(end)
	if a.global.json {
		if err := report.NewRunDocument(&s.record, s.run.Dir).JSON(a.out); err != nil {
			return err
		}
	}
	return exit(code)
}

// next is what one does after this run: the commands for what it came to.
func (s *session) next(end view.Ending, code Code) []string {
	id, name := string(s.id), s.work.runbook.Name
	switch {
	case !s.record.Closed:
		return append(unfinishedCommands(&s.record), "continuo show "+id)
	case !end.Sealed:
		return []string{"continuo seal " + id}
	case s.mode == engine.DryRun && code == OK:
		return []string{"continuo run " + name + " --live", "continuo verify " + id}
	case s.mode == engine.DryRun:
		return []string{"continuo show " + id, "continuo run " + name + "   (rehearse again)"}
	case code == OK:
		return []string{"continuo verify " + id}
	}
	return []string{"continuo show " + id, "continuo verify " + id}
}

// reportPaths are the reports in a sealed bundle, the one to open first.
func reportPaths(dir string) []string {
	path := filepath.Join(dir, "report.html")
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return []string{path}
}
