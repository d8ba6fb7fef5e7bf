// Package httpx is what the front ends share about HTTP: handlers that return errors, the request's id, address and
// logger, limits, cookies, protection against cross-site requests, health, metrics and a server that stops politely.
//
// It knows nothing of SCIM, JSON errors or pages: a front end brings its own ErrorRenderer.
// A request passes through it like this:
//
//	Server -> Observe (id, address, access log, last recovery) -> Mount (base path) -> ServeMux -> Handler.With(renderer)
package httpx
