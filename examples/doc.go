// Package examples holds complete projects to learn from and to copy. Its tests run them with the real program, from the
// first command of their READMEs to the verified evidence; bench measures the program against its targets.
package examples
