// Package sshtransport reaches hosts over SSH. It is the only package that dials. What is said to a host once it is
// reached belongs to package hostshell.
//
// There is one connection per host, kept across items; a lost one is dialled again when it is needed. Host keys are
// checked strictly, in every mode and on every hop; nothing switches that off. What is retried, and by whom: dialling
// with back-off, here, as long as the server has not proved its identity; a refused channel waits for a free one, here;
// commands never, here. All exported types are safe for concurrent use.
package sshtransport
