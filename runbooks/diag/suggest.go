package diag

import "strings"

// Suggest returns the candidate that the word was most likely meant to be, or "" when none is close. Closeness is the
// Damerau–Levenshtein distance, at most a third of the word's length and at least one; letter case is ignored. The
// closest candidate wins, then the alphabetically first, so that the answer never depends on the order of a map.
func Suggest(word string, candidates []string) string {
	w := []rune(strings.ToLower(word))
	if len(w) == 0 || len(w) > maxSuggestWord {
		return ""
	}
	limit := max(1, len(w)/3)
	best, bestDistance := "", limit+1
	for _, c := range candidates {
		if c == word || c == "" {
			continue
		}
		d := distance(w, []rune(strings.ToLower(c)), limit)
		if d < bestDistance || d == bestDistance && d <= limit && c < best {
			best, bestDistance = c, d
		}
	}
	return best
}

// maxSuggestWord bounds the work on hostile input; nobody mistypes one letter in a name of that length.
const maxSuggestWord = 128

// distance is the optimal string alignment distance of a and b, or limit+1 when it is larger than limit.
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return min(prev[len(b)], limit+1)
}
