package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/lab"
)

func labCommand(a *app) *cobra.Command {
	return group("lab", "Practice hosts: real SSH servers on loopback, one sandbox directory each", `  continuo lab up        start them; nothing to install, no root
  continuo lab status    where they listen and where their files are
  continuo lab down      stop them; their files stay`,
		labUp(a), labDown(a), labStatus(a), labServe())
}

func labUp(a *app) *cobra.Command {
	var fresh bool
	c := &cobra.Command{
		Use: "up", Short: "Start the practice hosts of the project", Args: atMost(0),
		Example: "  continuo lab up\n  continuo lab up --fresh      with empty sandboxes, as on the first day",
		RunE: func(c *cobra.Command, _ []string) error {
			p, _, err := a.load()
			if err != nil {
				return err
			}
			cfg, err := lab.ConfigOf(p)
			if errors.Is(err, lab.ErrNoHosts) {
				return fail(Usage, err, `give a host environment = "lab" and an address such as 127.0.0.1; `+"`continuo init` makes a project that has some")
			}
			if err != nil {
				return fail(Invalid, err, "")
			}
			cfg.Fresh = fresh
			exe, err := a.env.Executable()
			if err != nil {
				return fail(Fail, err, "")
			}
			st, err := lab.Up(c.Context(), cfg, []string{exe, "lab", "serve", cfg.Dir})
			if err != nil {
				return fail(Fail, err, "`continuo lab status` shows what is there; `continuo lab down` stops it")
			}
			return a.showLab(st)
		},
	}
	c.Flags().BoolVar(&fresh, "fresh", false, "empty the sandboxes first")
	return c
}

func labDown(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "Stop the practice hosts; their files stay", Args: atMost(0), Example: "  continuo lab down",
		RunE: func(c *cobra.Command, _ []string) error {
			before, err := lab.Down(c.Context(), a.labDir())
			if err != nil {
				return fail(Fail, err, "the process id is in "+filepath.Join(a.labDir(), "lock"))
			}
			before.Running = false
			return a.showLab(before)
		},
	}
}

func labStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "What is known of the practice hosts", Args: atMost(0), Example: "  continuo lab status\n  continuo lab status --json",
		RunE: func(*cobra.Command, []string) error {
			st, err := lab.Read(a.labDir())
			if err != nil {
				return fail(Fail, err, "")
			}
			return a.showLab(st)
		},
	}
}

// labServe is what `lab up` starts in the background.
func labServe() *cobra.Command {
	return &cobra.Command{
		Use: "serve DIR", Hidden: true, Args: exactly("DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := endOnSignal(c.Context())
			defer stop()
			return lab.Serve(ctx, args[0], os.NewFile(lab.ReadyFD, "ready"))
		},
	}
}

// endOnSignal ends the context at the first signal that asks the process to end.
func endOnSignal(ctx context.Context) (context.Context, func()) {
	signals, stop := endSignals()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(); cancel() }
}

func (a *app) labDir() string { return filepath.Join(a.dir(), lab.Dir) }

func (a *app) showLab(st lab.Status) error {
	doc := view.LabDocument{Schema: view.LabSchema, Running: st.Running, Dir: st.Dir, Key: st.Key, Log: st.Log, Hosts: []view.LabHost{}}
	for _, h := range st.Hosts {
		doc.Hosts = append(doc.Hosts, view.LabHost{
			Name: h.Name, Address: h.Endpoint(), User: h.User, Sandbox: filepath.Join(st.Dir, "hosts", h.Name),
		})
	}
	if st.Running {
		doc.PID = st.PID
	}
	if a.global.json {
		return a.out.JSON(doc)
	}
	a.out.Lab(doc)
	return nil
}
