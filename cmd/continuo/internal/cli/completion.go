package cli

import (
	"io"

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
				if _, err := io.WriteString(w, bashHelpers); err != nil {
					return err
				}
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

// bashHelpers are what the completion needs of the package bash-completion, for machines that do not have it.
const bashHelpers = `# Without the package bash-completion, words are those of bash.
if ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    _get_comp_words_by_ref() {
        cur=${COMP_WORDS[COMP_CWORD]}
        prev=
        if ((COMP_CWORD > 0)); then prev=${COMP_WORDS[COMP_CWORD-1]}; fi
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
    }
fi
if ! declare -F __ltrim_colon_completions >/dev/null 2>&1; then
    __ltrim_colon_completions() { :; }
fi
`
