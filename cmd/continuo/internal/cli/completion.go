package cli

import (
	"github.com/spf13/cobra"
)

func completionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Shell completion, including the names of runbooks, runs, items and hosts",
		Example: `  source <(continuo completion bash)
  continuo completion zsh > "${fpath[1]}/_continuo"
  continuo completion fish > ~/.config/fish/completions/continuo.fish
  continuo completion powershell | Out-String | Invoke-Expression`,
		Args:      exactly("SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			root, w := c.Root(), a.env.Stdout
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w, true)
			case "zsh":
				return root.GenZshCompletion(w)
			case "fish":
				return root.GenFishCompletion(w, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(w)
			}
			return failf(Usage, didYouMean(args[0], []string{"bash", "zsh", "fish", "powershell"}, ""),
				"completion: unknown shell %q", args[0])
		},
	}
}
