package simulation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/simulation"
)

func TestBubble_anHourTakesNoTime(t *testing.T) {
	t.Parallel()
	var took time.Duration
	var began time.Time
	err := simulation.Bubble(time.Time{}, func(ctx context.Context) error {
		began = time.Now()
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		<-ctx.Done()
		took = time.Since(began)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, time.Hour, took)
	require.True(t, began.Equal(simulation.Epoch), "%s", began)
}

func TestBubble_returnsWhatWentWrong(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, simulation.Bubble(time.Time{}, func(context.Context) error {
		<-make(chan int)
		return nil
	}), simulation.ErrStuck)
	require.ErrorContains(t, simulation.Bubble(time.Time{}, func(context.Context) error { panic("boom") }), "boom")
	mine := errors.New("mine")
	require.ErrorIs(t, simulation.Bubble(time.Time{}, func(context.Context) error { return mine }), mine)
}
