// Package transporttest tests transports: one conformance suite that every transport passes, real OpenSSH servers on
// loopback and an SSH server in memory to run it against, and a TCP proxy that misbehaves on command. Real hosts do what the
// suite's commands say; simulated ones, and the server in memory, are told (Does) and can run in a bubble of
// testing/synctest. It is imported by tests only.
package transporttest
