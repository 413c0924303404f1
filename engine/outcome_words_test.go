package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// The language knows the outcomes as words, the engine as a closed type: both are the same set.
func TestOutcome_words(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, scope.Outcomes(), []string{
		string(engine.Succeeded), string(engine.Failed), string(engine.TimedOut), string(engine.Unreachable), string(engine.NeverStarted),
		string(engine.Unknown), string(engine.Skipped), string(engine.NotReached), string(engine.Exercised), string(engine.NotExercised),
	})
}
