// Package evidence keeps the record of a run so that it can be checked without trusting the operator or this program.
//
// A run's directory has the layout of a bundle from its first moment: the files of the project as they were read, the
// plan, the journal, the outputs by their content. Seal adds what is derived (seal.txt, the reports, a README that
// carries its own verifier), lists every file in SHA256SUMS and signs that list with an OpenSSH signature. From then on
// nothing that is listed changes. Verify answers in four verdicts: integrity, authenticity, completeness and meaning.
//
// Everything that is claimed is computed from the journal, so that a run that was resumed, one that crashed and one that
// is sealed years later from its directory alone give the same bytes. FORMAT.md describes every file; it is enough to
// write a second verifier from.
package evidence
