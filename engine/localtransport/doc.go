// Package localtransport is the control host: the machine that continuo runs on. Commands run as local processes, through
// the same protocol as on any other host (package hostshell), so that a step on the control host is a durable attempt
// too, and a dry-run cannot start one.
//
// Router sends each host to its transport: the control host here, all others to another one.
package localtransport
