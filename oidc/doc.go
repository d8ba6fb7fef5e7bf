// Package oidc is an OpenID Connect relying party: it sends browsers to the provider and takes them back.
//
// It decides that somebody is who the provider says; whether they may come in is decided in package domain.
// go-oidc verifies signatures, issuer and audience; what it leaves to its caller is in verify.go and keys.go:
// nonce, azp, iat, at_hash, leeway, token types, and a bound on how often keys are fetched.
// x/oauth2 exchanges codes, with a fixed way of client authentication and without following redirects.
//
// login.go and callback.go are the way there and back, renew.go what a refresh token is for, logout.go how a provider ends sessions,
// inspect.go whether a provider would work, and limit.go how fast one address may come.
package oidc
