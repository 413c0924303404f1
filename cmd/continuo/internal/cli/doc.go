// Package cli is the command line: one file a command, each of them flags → options → run.
//
// Main is the whole program but for os.Exit. Everything that it knows of the outside (arguments, environment, working
// directory, streams, clock, signals) comes in by Env; no other package of continuo reads them. What people and
// machines see is printed by package view. A command returns an error; Main alone turns it into text and an exit code.
//
// One `continuo run` is traced like this: run.go reads the flags, project.go loads the project (runbooks/loader) and
// makes the plan (engine/planner), confirm.go asks what a live run must ask, session.go opens the record
// (engine/evidence, engine/journal) and the transports, the executor (engine/executor) turns the plan into events, which
// tee.go gives to the journal and then to the screen, and finish.go seals the record, writes the reports and prints the
// last lines.
package cli
