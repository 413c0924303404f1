package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/continuo-runbooks/continuo/engine"
)

// Digest is "sha256:<hex>" over the JSON of the plan with an empty Digest. It changes when the meaning of anything
// planned may have changed, and never when a file is formatted. The plan is not modified.
func Digest(plan *engine.Plan) (string, error) {
	c := *plan
	c.Digest = ""
	b, err := json.Marshal(&c)
	if err != nil {
		return "", fmt.Errorf("plan as JSON: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
