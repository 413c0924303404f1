package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
)

// logFile is the technical log, for whoever debugs continuo itself. What happened in a run is in its journal.
type logFile struct {
	logger zerolog.Logger
	file   *os.File
}

// open begins the log. An empty name means none, "-" means stderr.
func (l *logFile) open(name string, abs func(string) string, stderr io.Writer) error {
	var w io.Writer
	switch name {
	case "":
		l.logger = zerolog.Nop()
		return nil
	case "-":
		w = stderr
	default:
		f, err := os.OpenFile(abs(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fail(Usage, fmt.Errorf("open log: %w", err), "")
		}
		l.file, w = f, f
	}
	l.logger = zerolog.New(w).With().Timestamp().Logger()
	return nil
}

func (l *logFile) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
