package report

import "github.com/continuo-runbooks/continuo/engine"

// verifyTool is the command that checks a bundle with continuo.
func verifyTool(run engine.RunID) string {
	return "continuo verify " + visible(string(run)) + " --signers SIGNERS"
}

// verifyHand are the commands that check a bundle with what every system has.
func verifyHand() string {
	return `ssh-keygen -Y find-principals -s SHA256SUMS.sig -f SIGNERS
ssh-keygen -Y verify -f SIGNERS -I PRINCIPAL -n evidence@continuo -s SHA256SUMS.sig < SHA256SUMS
sha256sum --strict --quiet --check SHA256SUMS
find . -type f ! -path './after/*' ! -name 'SHA256SUMS*' | sed 's,^\./,,' | grep -vxF "$(cut -c67- SHA256SUMS)"`
}
