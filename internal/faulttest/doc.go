// Package faulttest holds no code but tests: it runs the example programs as a
// stranger, an operator and an unlucky machine would, and looks at them from
// outside only, through their sockets, their logs and /proc.
//
// [TestMain] builds the blog, the proving ground with its users, uploads and mail, and
// the program in testdata/lab, which has a route for each thing that they have no use
// for: panics, streams, values that reach headers. Every test starts its own process on a free port.
package faulttest
