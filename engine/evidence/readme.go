package evidence

import (
	_ "embed"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

//go:embed readme.sh
var readmeScript string

// readmeText is README.txt: what this is, in comments, and a shell script that checks it without continuo.
func readmeText(rec *engine.Record) []byte {
	return []byte(strings.NewReplacer(
		"@RUN@", plain(string(rec.Opened.Run)), "@RUNBOOK@", plain(rec.Opened.Runbook), "@PROJECT@", plain(rec.Opened.Project),
		"@MODE@", strings.ToUpper(plain(string(rec.Mode))), "@VERDICT@", plain(string(rec.Verdict)),
	).Replace(readmeScript))
}
