package loader

import "github.com/continuo-runbooks/continuo/runbooks/expr"

// Limits bound what a project may ask of the machine that loads it. They are far above what people write and far below
// what could exhaust memory, time or the parser's stack.
type Limits struct {
	FileBytes  int64 // of one file
	TotalBytes int64 // of all files read
	HCLBytes   int64 // of all *.hcl files
	Files      int   // files read
	Tokens     int   // of one file
	AllTokens  int   // of all *.hcl files
	Nesting    int   // brackets, templates and blocks inside each other
	Operators  int   // in one expression, outside nested brackets
	Conditions int   // question marks in one expression, outside nested brackets
	Unary      int   // unary operators in a row
	Digits     int   // of a number
	Exponent   int   // of a number, absolute
	Hosts      int   // of the inventory
	Labels     int   // hosts times different labels
	Items      int   // of a runbook with all that it calls
	Problems   int   // errors that are reported; the first ones are those to mend

	ScriptBytes int // of a script of the shell, whose parser recurses, too

	Steps, Bytes int64 // of all evaluations together, as expr.Meter counts them
}

// DefaultLimits are the limits of Load when Options has none.
func DefaultLimits() Limits {
	return Limits{
		FileBytes: 1 << 20, TotalBytes: 32 << 20, HCLBytes: 4 << 20, Files: 2000, Tokens: 200_000, AllTokens: 500_000, Nesting: 64,
		Operators: 512, Conditions: 64, Unary: 8, Digits: 40, Exponent: 308, Hosts: 20_000, Labels: 1_000_000, Problems: 1000, Items: 100_000,
		ScriptBytes: 64 << 10, Steps: expr.LimitProjectSteps, Bytes: expr.LimitProjectBytes,
	}
}
