// Package loader turns a directory of *.hcl files into a runbooks.Project: bytes, limits, parse, schema, references,
// types, graph. It executes nothing and connects to nothing.
//
// The work has two phases. The first reads structure only: every file passes the guard (guard.go) before the parser sees
// it, and every block and attribute is compared with one declarative table (schema*.go), the same that `continuo schema`
// prints. Attributes stay expressions. The second gives them meaning: inventory, runbooks, items, references, order,
// types. Both collect as many diagnostics as they can; a Project is returned only when there is no error.
//
// Nothing is ever ignored: what the language has and the executor has not yet is an error that says so (later.go).
package loader
