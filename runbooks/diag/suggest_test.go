package diag_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		word       string
		candidates []string
		want       string
	}{
		"one letter missing":      {"replicaton", []string{"replication", "replica"}, "replication"},
		"two letters swapped":     {"exti_code", []string{"exit_code", "stdout"}, "exit_code"},
		"best, not first":         {"stat", []string{"start", "state", "stat2"}, "start"},
		"alphabetical on a tie":   {"db", []string{"dc", "da"}, "da"},
		"too far":                 {"promote", []string{"freeze", "demote-all"}, ""},
		"short words: one edit":   {"ab", []string{"cd"}, ""},
		"letter case":             {"PROMOTE", []string{"promote"}, "promote"},
		"never itself":            {"promote", []string{"promote"}, ""},
		"no candidates":           {"promote", nil, ""},
		"empty word":              {"", []string{"a"}, ""},
		"grapheme-free multibyte": {"zürch", []string{"zürich"}, "zürich"},
		"hostile length":          {strings.Repeat("a", 1<<20), []string{strings.Repeat("a", 1<<20) + "b"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, diag.Suggest(tt.word, tt.candidates))
		})
	}
}

func TestSuggestDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	a := []string{"step-a", "step-b", "step-c"}
	b := []string{"step-c", "step-b", "step-a"}
	require.Equal(t, diag.Suggest("step-x", a), diag.Suggest("step-x", b))
	require.Equal(t, "step-a", diag.Suggest("step-x", b))
}
