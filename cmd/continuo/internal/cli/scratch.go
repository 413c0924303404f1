package cli

import (
	"fmt"
	"os"

	"github.com/continuo-runbooks/continuo/engine"
)

// scratch makes files in a directory on disk that nobody else finds: they have no name any more once they are made, where
// the system allows that, and go when they are closed or the process ends.
type scratch string

// Create implements engine.Scratch.
func (dir scratch) Create() (engine.ScratchFile, error) {
	f, err := os.CreateTemp(string(dir), "scratch-*")
	if err != nil {
		return nil, fmt.Errorf("make a scratch file: %w", err)
	}
	if os.Remove(f.Name()) == nil {
		return f, nil
	}
	return &namedScratch{f}, nil // a system on which files that are open stay
}

// namedScratch is a scratch file that has its name until it is closed.
type namedScratch struct{ *os.File }

// Close implements io.Closer.
func (f *namedScratch) Close() error {
	err := f.File.Close()
	if gone := os.Remove(f.Name()); err == nil {
		err = gone
	}
	return err
}
