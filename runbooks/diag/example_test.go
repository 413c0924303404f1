package diag_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func TestNewExample(t *testing.T) {
	t.Parallel()
	require.Equal(t, diag.Example{Command: "continuo validate", Files: map[string][]byte{"project.hcl": []byte("a = 1\n")}},
		diag.NewExample("a = 1\n"))
	require.Equal(t, diag.Example{Command: "continuo plan r --var a=1", Files: map[string][]byte{"project.hcl": []byte("a = 1\n")}},
		diag.NewExample("$ continuo plan r --var a=1\na = 1\n"))
	require.Equal(t, diag.Example{Command: "continuo validate", Files: map[string][]byte{"a.hcl": []byte("x\ny\n"), "s/b.sh": []byte("-- no\n"), "empty": nil}},
		diag.NewExample("-- a.hcl --\nx\ny\n-- s/b.sh --\n-- no\n-- empty --\n"))
	require.Equal(t, diag.Example{Command: "continuo validate", Files: map[string][]byte{}, Printed: "error[CON-E099]: broke\n"},
		diag.NewExample("$ continuo validate\nerror[CON-E099]: broke\n"))
}
