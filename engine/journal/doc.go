// Package journal writes and reads the record of a run: an append-only file of chained lines that is on disk before
// anything it speaks of is done.
//
// Each line is one JSON object with a fixed head (see Head) and the fields of one event. prev is the SHA-256 of the
// whole line before, so that no line can be changed, left out, added or moved; the first prev binds the chain to the
// run. What is hashed are the bytes of the file: nothing is parsed and written again to be checked.
//
// What this package promises:
//
//   - Append returns after the fsync where the payload is durable. Concurrent appends share one; none skips it.
//   - After a failed write or fsync the journal is poisoned: every later Append fails. Nobody can know what such a file
//     holds, so nobody goes on with it; Resume copies it first.
//   - Only a torn last line is ever cut off, only by Resume, and its bytes are kept. Any other damage is refused.
//   - The reader is strict: what this package did not write is an error with its line, never skipped.
package journal
