// Package check holds the tests of the Helm chart: Helm's own lint and templates, a strict decode of every object into
// Kubernetes' own types, and the server itself, which must take the configuration that a pod would get.
package check
