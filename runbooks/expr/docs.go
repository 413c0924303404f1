package expr

import (
	"fmt"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Docs explains the codes of this package.
func Docs() []diag.Doc { return append(append(docsNames(), docsValues()...), docsLimits()...) }

// checkDoc is a project with one check whose expectation has this condition.
func checkDoc(condition string) string {
	return "host \"db\" { address = \"db.example.org\" }\n\nrunbook \"recover\" {\n" +
		"  variable \"lag\" { type = number }\n  phase \"assess\" {\n" +
		"    check \"state\" {\n      hosts = host.db\n      argv  = [\"cat\", \"/run/state\"]\n" +
		"      capture \"lag\" {\n        value = result.stdout\n        type  = number\n      }\n" +
		"      expect { condition = " + condition + " }\n    }\n  }\n}\n"
}

// scriptDoc is a project with one check that runs this script.
func scriptDoc(script string) string {
	return "runbook \"recover\" {\n  phase \"assess\" {\n    check \"state\" {\n      hosts  = control\n      script = " +
		script + "\n    }\n  }\n}\n"
}

// skippedDoc has a check that is skipped, and one that has this as a word of its command.
func skippedDoc(word string) string {
	return "runbook \"recover\" {\n  phase \"assess\" {\n" +
		"    check \"first\" {\n      hosts = control\n      argv  = [\"hostname\"]\n      when  = false\n    }\n" +
		"    check \"second\" {\n      hosts = control\n      argv  = [\"echo\", " + word + "]\n    }\n  }\n}\n"
}

// defectDoc is what a defect looks like.
const defectDoc = `$ continuo validate
error[CON-E099]: evaluation broke down
  --> project.hcl:13:28, in runbook "recover"
   13 |       expect { condition = result.lag < 30 }
      |                            ^^^^^^^^^^^^^^^
   This is a defect of continuo, not of the runbook.
   hint: report it with this expression; a simpler one may avoid it
`

// twoChecksDoc has a second check whose only attribute besides its command is this.
func twoChecksDoc(attribute string) string {
	return "runbook \"recover\" {\n  phase \"assess\" {\n" +
		"    check \"first\" {\n      hosts = control\n      argv  = [\"hostname\"]\n    }\n" +
		"    check \"second\" {\n      hosts = control\n      argv  = [\"true\"]\n      " + attribute + "\n    }\n  }\n}\n"
}

func docsNames() []diag.Doc {
	return []diag.Doc{
		{
			Code: CodeUnknownName, Title: "a word that no reference begins with",
			Meaning: "References begin with var, local, host, group, check, step and their like. A word alone is neither a text, which " +
				"stands in quotes, nor a variable of the shell: in a script ${NAME} is an expression of the runbook, and $${NAME} or " +
				"$NAME is the shell's.",
			Wrong: scriptDoc(`"echo ${HOME}"`), Right: scriptDoc(`"echo $${HOME}"`),
		},
		{
			Code: CodeBareRoot, Title: "a kind without a name",
			Meaning: "A reference says which step, host or variable it means. There is no list of all steps, so that what an item waits " +
				"for can be read off its references.",
			Wrong: twoChecksDoc(`when  = length(check) > 0`), Right: twoChecksDoc(`when  = check.first.ok`),
		},
		{
			Code: CodeDynamicName, Title: "a name that is computed",
			Meaning: "The order of a runbook follows from its references, before anything runs: so their names are written, not " +
				"computed. A choice between two is a conditional; data by name belongs in a map.",
			Wrong: twoChecksDoc(`when  = check[run.mode].ok`), Right: twoChecksDoc(`when  = check["first"].ok`),
		},
		{
			Code: CodeNoAttribute, Title: "something that the value does not have",
			Meaning: "The value is known to have other attributes. For results this is found before anything runs, because their types " +
				"follow from the items. A minus needs spaces: x.lag-1 is the attribute lag-1.",
			Wrong: checkDoc("result.exti_code == 0"), Right: checkDoc("result.exit_code == 0"),
		},
		{
			Code: CodeNoData, Title: "data of something that left none",
			Meaning: "An item that was skipped, unreachable or not reached has an outcome, but no output and no captures; they are " +
				"absent, not empty, so that nobody takes silence for an answer. The item that reads them counts as not reached. Where " +
				"absence is expected, try(…) gives a default, and a when may ask for ok first. Known only in a run.",
			Wrong: "$ continuo run recover\n" + skippedDoc(`check.first.stdout`), Right: "$ continuo run recover\n" + skippedDoc(`try(check.first.stdout, "nobody")`),
		},
		{
			Code: CodeUnknownFunction, Title: "a function that does not exist",
			Meaning: "The functions are those of the reference. None reads the clock, random numbers, the environment or the network: " +
				"an expression gives the same value whenever it is evaluated, in the dry-run, in the run and when it is resumed.",
			Wrong: checkDoc(`uper(result.stdout) == "OK"`), Right: checkDoc(`upper(result.stdout) == "OK"`),
		},
		{
			Code: CodeTypeExpr, Title: "not a type",
			Meaning: "Types are string, number, bool, any, host, list(…), set(…), map(…), tuple([…]) and object({ … }), written without " +
				"quotes.",
			Wrong: "runbook \"recover\" {\n  variable \"lag\" { type = \"number\" }\n  phase \"a\" {\n    wait \"b\" { duration = \"1s\" }\n  }\n}\n",
			Right: "runbook \"recover\" {\n  variable \"lag\" { type = number }\n  phase \"a\" {\n    wait \"b\" { duration = \"${var.lag}s\" }\n  }\n}\n",
		},
	}
}

func docsValues() []diag.Doc {
	return []diag.Doc{
		{
			Code: CodeNoElement, Title: "an element that is not there",
			Meaning: "Lists are counted from 0, and a map has only the keys that it has. split on an unexpected output is the usual cause.",
			Wrong:   checkDoc(`["a", "b"][2] == result.stdout`), Right: checkDoc(`["a", "b"][1] == result.stdout`),
		},
		{
			Code: CodeNull, Title: "null where a value is needed",
			Meaning: "A condition is true or false, a text is a text. Null is neither; coalesce(…) puts something in its place.",
			Wrong:   checkDoc(`null ? true : false`), Right: checkDoc(`coalesce(null, false) ? true : true`),
		},
		{
			Code: CodeType, Title: "a value of the wrong type",
			Meaning: "An operator, a condition or a text got what it cannot work with. tonumber, tostring, tobool, join and jsonencode convert.",
			Wrong:   checkDoc(`"state: ${["a", "b"]}" == result.stdout`), Right: checkDoc(`"state: ${join(",", ["a", "b"])}" == result.stdout`),
		},
		{
			Code: CodeEquality, Title: "values that can never be equal",
			Meaning: "The output of a command is text: \"0\" is not 0. Comparing the two would be false for ever, or true by accident, so it " +
				"is an error. Give the capture a type, or convert one side.",
			Wrong: checkDoc(`result.stdout == 0`), Right: checkDoc(`tonumber(result.stdout) == 0`),
		},
		{
			Code: CodeSensitive, Title: "a secret where it would be seen",
			Meaning: "Keys of maps, command lines and texts are shown in plans and records. Secrets travel as values of env and by stdin.",
			Wrong: "secret \"token\" { env = \"TOKEN\" }\n\n" +
				twoChecksDoc(`when  = length({ (secret.token) = 1 }) == 1`),
			Right: "secret \"token\" { env = \"TOKEN\" }\n\n" + twoChecksDoc(`env   = { TOKEN = secret.token }`),
		},
		{
			Code: CodeFunction, Title: "a call that fails",
			Meaning: "The function cannot take what it was given; the message says why. try(…) gives a default where that is expected.",
			Wrong:   checkDoc(`tonumber("fast") == result.lag`), Right: checkDoc(`tonumber("3") == result.lag`),
		},
		{
			Code: CodeEvaluation, Title: "an expression that cannot be evaluated",
			Meaning: "The syntax is right, and still there is no value; the message says why. Written in another way it has one.",
			Wrong:   checkDoc(`length(tolist(["a", null])[*][*]) > result.lag`), Right: checkDoc(`length([for x in ["a", "b"] : [x]]) > result.lag`),
		},
	}
}

func docsLimits() []diag.Doc {
	return []diag.Doc{
		{
			Code: CodeTooComplex, Title: "beyond the limits of expressions",
			Meaning: "Texts have 1 MiB at most, numbers 1100 bits, for expressions nest twice and visit 100,000 elements, and so on. Runbooks " +
				"that people wrote do not come near; the limits keep a broken or hostile file from stopping a recovery.",
			Wrong: checkDoc(`[for a in [1] : [for b in [1] : [for c in [1] : c]]] == [[[1]]]`), Right: checkDoc(`[for a in [1] : [for b in [1] : b]] == [[1]]`),
		},
		{
			Code: CodeTooMuch, Title: "beyond the limits of a project",
			Meaning: "All expressions of a project together may take 8,000,000 steps and build 128 MiB while it is validated, and again " +
				"while it is planned: 300 filters of a thousand hosts. What several items use is computed once in a group, a local or " +
				"the hosts of a phase. The limit keeps a broken or hostile project from stopping the machine that is to recover yours.",
			Wrong: tablesDoc(12), Right: tablesDoc(1),
		},
		{
			Code: CodeDefect, Title: "a defect of continuo",
			Meaning: "Something broke down in a way that no runbook should cause. No project is known that does; this is what it looks " +
				"like. Report it with the expression; until it is mended, write the expression differently.",
			Wrong: defectDoc, Right: checkDoc("result.lag < 30"),
		},
	}
}

// tablesDoc is a runbook with so many locals that visit 90,000 elements each.
func tablesDoc(n int) string {
	var b strings.Builder
	b.WriteString("runbook \"recover\" {\n  locals {\n")
	for i := range n {
		fmt.Fprintf(&b, "    table%d = [for a in range(300) : [for b in range(300) : a * b]]\n", i+1)
	}
	b.WriteString("  }\n  phase \"look\" {\n    wait \"a\" { duration = \"1s\" }\n  }\n}\n")
	return b.String()
}
