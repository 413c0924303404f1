// Command continuo executes continuity runbooks over SSH, in dry-run or live, and records the results as evidence.
package main

import (
	"os"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/cli"
)

func main() { os.Exit(int(cli.Main(cli.OSEnv()))) }
