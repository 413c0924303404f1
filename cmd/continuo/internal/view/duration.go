package view

import (
	"fmt"
	"strconv"
	"time"
)

// Duration is a length of time as people say it: "850 ms", "4.2 s", "3m07s", "2h05m".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < time.Second-time.Millisecond/2: // rounded as in reports: 1 s is never 1000 ms, nor a minute 60.0 s
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	case d < time.Minute-50*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		d = d.Round(time.Second)
		if d == time.Hour {
			return "1h00m"
		}
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Seconds is Duration for a number of seconds.
func Seconds(s float64) string { return Duration(time.Duration(s * float64(time.Second))) }

// Count is a number with its word: "1 host", "3 hosts".
func Count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// list joins names and counts what is beyond a few: "a, b, c and 4 more".
func list(names []string, few int) string {
	out := ""
	for i, n := range names {
		if i == few {
			return out + fmt.Sprintf(" and %d more", len(names)-few)
		}
		if i > 0 {
			out += ", "
		}
		out += Clean(n)
	}
	return out
}
