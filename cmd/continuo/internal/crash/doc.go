// Package crash holds the crash harness: tests in which a controller, with the real executor, journal, evidence and ledger,
// is killed at every file operation, loses its power, and finds its disk full or failing at every operation; and in which
// its records are cut and damaged at every byte. After each, a controller like any other takes up what is there, and the
// hosts' own word says what really ran.
//
// `make crash` tries every point and prints the figures; an ordinary test run tries a sample. It lies here because it
// composes what only the command line may: the executor and the evidence never see each other.
package crash
