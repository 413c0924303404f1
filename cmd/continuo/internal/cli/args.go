package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// exactly wants one argument for each name, in order.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return failf(Usage, usageHint(c), "%s: %s is missing", c.CommandPath(), names[len(args)])
		case len(args) > len(names):
			return failf(Usage, usageHint(c), "%s: too many arguments: %s", c.CommandPath(), strings.Join(args[len(names):], " "))
		}
		return nil
	}
}

// atLeast wants one or more arguments of that name.
func atLeast(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return failf(Usage, usageHint(c), "%s: %s is missing", c.CommandPath(), name)
		}
		return nil
	}
}

// atMost wants no more than n arguments.
func atMost(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return failf(Usage, usageHint(c), "%s: too many arguments: %s", c.CommandPath(), strings.Join(args[n:], " "))
		}
		return nil
	}
}

func usageHint(c *cobra.Command) string {
	return fmt.Sprintf("usage: %s", c.UseLine())
}

// oneOf checks a flag's value against a closed set.
func oneOf(flag, value string, set ...string) error {
	for _, s := range set {
		if value == s {
			return nil
		}
	}
	return failf(Usage, didYouMean(value, set, ""), "--%s: unknown value %q", flag, value)
}

// group is a command that only holds others.
func group(use, short, example string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Example: example, Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(subs...)
	return c
}
