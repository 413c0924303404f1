package cli

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// didYouMean is a hint for an unknown word: the nearest candidate, else one that contains it, else the few that there
// are, else the fallback.
func didYouMean(word string, candidates []string, fallback string) string {
	s := diag.Suggest(word, candidates)
	if s == "" && len(word) >= 3 {
		for _, c := range candidates {
			if strings.Contains(c, word) {
				s = c
				break
			}
		}
	}
	if s != "" {
		return fmt.Sprintf("did you mean %s?", s)
	}
	if n := len(candidates); n > 0 && n <= 12 {
		return "there are: " + strings.Join(candidates, ", ")
	}
	return fallback
}
