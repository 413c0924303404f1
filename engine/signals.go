package engine

import "strconv"

// signalNames are the signals by number, as Linux numbers them, without SIG.
func signalNames() []string {
	return []string{1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL",
		10: "USR1", 11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS"}
}

// SignalName is the name of a signal by its number, or its number as SIGn would be written without SIG.
func SignalName(n int) string {
	if names := signalNames(); n > 0 && n < len(names) && names[n] != "" {
		return names[n]
	}
	return "number-" + strconv.Itoa(n)
}

// SignalNumber is the number of a signal by its name without SIG; 0: not known.
func SignalNumber(name string) int {
	for n, s := range signalNames() {
		if s == name && s != "" {
			return n
		}
	}
	return 0
}
