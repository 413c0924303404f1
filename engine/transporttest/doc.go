// Package transporttest tests transports: one conformance suite that every transport passes, real OpenSSH servers on
// loopback to run it against, and a TCP proxy that misbehaves on command. It is imported by tests only.
package transporttest
