// Package trace writes down how requests spend their time and sends that to a collector by OTLP over HTTP, in JSON.
//
// It knows what this server needs of OpenTelemetry: spans with attributes and a status, W3C trace context, the standard samplers,
// and an exporter with a bounded queue. A request never waits for it: what the queue cannot take is dropped and counted.
// Without a Tracer in the context every function does nothing, and a nil Span has all the methods of one.
//
// Attributes hold names of our own, statuses and ids of organizations and credentials; never a path, a query, an address of a person or a secret.
package trace
