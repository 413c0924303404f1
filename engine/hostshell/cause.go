package hostshell

import (
	"errors"

	"github.com/continuo-runbooks/continuo/engine"
)

// CauseAndHint splits an error about a host into what went wrong and what to do.
func CauseAndHint(err error) (cause, hint string) {
	var he *engine.HostError
	if errors.As(err, &he) {
		return he.Err.Error(), he.Hint
	}
	return err.Error(), ""
}
