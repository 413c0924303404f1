// Package hostshell is what continuo says to a host, and how it understands the answer: commands, preflights and durable
// attempts as text for one `/bin/sh -s`, over any Shell that can start one. Package sshtransport starts it through an SSH
// channel, package localtransport as a local process; the protocol is the same and is tested once.
//
// Rules that hold everywhere in this package:
//
//   - What is executed on the host is the constant `/bin/sh -s`. Commands, environment and secrets travel on its standard
//     input, never in an argument list, so that nothing shows in a process table and no login shell quotes anything.
//   - A text is one `{ …; }` group. A shell parses the whole of it before it runs any of it: a connection that is cut
//     while the text travels executes nothing.
//   - An answer starts with a line that holds a nonce of 128 fresh random bits. What comes before it (rc files that
//     print, messages of the day) is thrown away; output of a command cannot imitate it.
//   - Both output streams are always read to their end. A lost connection is never taken for an exit status.
package hostshell
