package cli

import (
	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// forecast has the console say when the run will end, by earlier runs of its runbook.
func (a *app) forecast(*view.Console, *evidence.Loaded) {}
