// Package archtest holds the tests that keep the architecture: who may import whom, which modules are used and why,
// and what no file of the project may contain.
package archtest
