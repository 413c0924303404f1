package expr

// The codes of diagnostics about expressions. They are stable; Docs explains each. The first two are the loader's, which
// finds the same mistakes in files before anything is evaluated, and explains them.
const (
	CodeSyntax          = "CON-S001"
	CodeNotHere         = "CON-R019"
	CodeUnknownName     = "CON-E002"
	CodeBareRoot        = "CON-E004"
	CodeDynamicName     = "CON-E005"
	CodeNoAttribute     = "CON-E006"
	CodeNoData          = "CON-E007"
	CodeNoElement       = "CON-E008"
	CodeNull            = "CON-E009"
	CodeType            = "CON-E010"
	CodeEquality        = "CON-E011"
	CodeSensitive       = "CON-E012"
	CodeFunction        = "CON-E013"
	CodeUnknownFunction = "CON-E014"
	CodeTooComplex      = "CON-E015"
	CodeEvaluation      = "CON-E016"
	CodeTypeExpr        = "CON-E017"
	CodeTooMuch         = "CON-E018"
	CodeDefect          = "CON-E099"
)
