package oidc

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"muster/domain"
)

const (
	// skew is how far the provider's clock may be from ours (item 43).
	skew = 60 * time.Second
	// maxTokenAge is how old an ID token may be at sign-in.
	maxTokenAge = 10 * time.Minute
)

// skewError is a token whose times do not fit our clock.
type skewError struct{ text string }

func (e *skewError) Error() string { return e.text }

// awayError is a sign-in that could not be checked because the provider did not answer.
type awayError struct{ cause error }

func (e *awayError) Error() string { return e.cause.Error() }
func (e *awayError) Unwrap() error { return e.cause }

// verify checks the token answer (OpenID Connect Core section 3.1.3.7, and stricter) and returns what the provider says about the person.
func (p *Provider) verify(ctx context.Context, meta *metadata, token *oauth2.Token, flow domain.Flow) (domain.Claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return domain.Claims{}, errors.New("the token answer holds no id_token")
	}
	if !strings.EqualFold(token.TokenType, "Bearer") {
		return domain.Claims{}, fmt.Errorf("the token type is %.32q, not Bearer", token.TokenType)
	}
	if err := checkType(raw); err != nil {
		return domain.Claims{}, err
	}
	verified, err := p.checkSignature(ctx, meta, raw)
	if err != nil {
		return domain.Claims{}, err
	}
	var claims claimSet
	if err := verified.Claims(&claims); err != nil {
		return domain.Claims{}, fmt.Errorf("the ID token's claims: %w", err)
	}
	if err := p.checkClaims(claims, verified.Audience, flow); err != nil {
		return domain.Claims{}, err
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return domain.Claims{}, fmt.Errorf("at_hash: %w", err)
		}
	}
	if meta.userinfo != "" && claims.lacks(flow.Claims) {
		if err := p.addUserInfo(ctx, meta, token, claims, flow.Claims); err != nil {
			return domain.Claims{}, err
		}
	}
	described, err := p.describe(claims, flow.Claims)
	if err != nil {
		return domain.Claims{}, err
	}
	if flow.Purpose == domain.PurposeStepUp {
		if described.AuthTime, err = p.provedAt(claims, flow); err != nil {
			return domain.Claims{}, err
		}
	}
	described.RefreshToken, described.SetUp = token.RefreshToken, flow.Purpose == domain.PurposeSetUp
	if p.config.KeepIDToken {
		described.IDToken = raw
	}
	return described, nil
}

// notProvedError is a step-up that the provider answered without asking the person again.
type notProvedError struct{ text string }

func (e *notProvedError) Error() string { return e.text }

// provedAt returns when the person proved who they are in answer to a step-up: a provider that ignores max_age must fail (item 110).
// One that sends no auth_time was sent prompt=login and is taken at its word that the token is fresh, which is weaker (item 112).
func (p *Provider) provedAt(claims claimSet, flow domain.Flow) (time.Time, error) {
	at, sent := claims.time("auth_time")
	if !sent {
		if claims.has("auth_time") {
			return time.Time{}, &notProvedError{"auth_time is no time"}
		}
		at, _ = claims.time("iat")
		return at, nil
	}
	if at.After(p.config.Now().Add(skew)) {
		return time.Time{}, &notProvedError{"auth_time is in the future: " + at.Format(time.RFC3339)}
	}
	if at.Before(flow.CreatedAt.Add(-skew)) {
		return time.Time{}, &notProvedError{"the provider did not ask again: auth_time is " + at.Format(time.RFC3339)}
	}
	return at, nil
}

// checkSignature has go-oidc check signature, issuer and audience of an ID token.
func (p *Provider) checkSignature(ctx context.Context, meta *metadata, raw string) (*oidc.IDToken, error) {
	return p.checkToken(ctx, meta, meta.checks, raw)
}

// checkToken has go-oidc check any token that the provider signed.
func (p *Provider) checkToken(ctx context.Context, meta *metadata, checks *oidc.Config, raw string) (*oidc.IDToken, error) {
	return p.checkWith(ctx, &watchedKeys{KeySet: meta.keys}, checks, raw)
}

// checkWith is checkToken for a caller who wants to know whether it was the keys.
func (p *Provider) checkWith(ctx context.Context, keys *watchedKeys, checks *oidc.Config, raw string) (*oidc.IDToken, error) {
	verified, err := oidc.NewVerifier(p.config.Issuer, keys, checks).Verify(oidc.ClientContext(ctx, p.client), raw)
	if err == nil {
		return verified, nil
	}
	if errors.Is(keys.err, errNoKeys) || ctx.Err() != nil {
		return nil, &awayError{cmp.Or(keys.err, ctx.Err())}
	}
	if keys.err != nil {
		p.doubt()
	}
	return nil, fmt.Errorf("the token: %w", err)
}

// checkType refuses access and logout tokens in an ID token's place (item 47).
func checkType(raw string) error {
	kind, err := typeOf(raw)
	if err == nil && !slices.Contains([]string{"", "jwt", "application/jwt"}, kind) {
		err = fmt.Errorf("a token of type %.32q is no ID token", kind)
	}
	return err
}

// typeOf returns a token's type in small letters, empty when its header names none.
func typeOf(raw string) (string, error) {
	head, _, _ := strings.Cut(raw, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return "", errors.New("the token is no JWT")
	}
	var header struct {
		Type string `json:"typ"`
	}
	if err := json.Unmarshal(decoded, &header); err != nil {
		return "", errors.New("the token's header is no JSON object with a text as its typ")
	}
	if strings.Count(raw, ".") == 4 {
		// Item 55.
		return "", errors.New("the token is encrypted, which is not supported: switch encryption off at the provider")
	}
	return strings.ToLower(header.Type), nil
}

// checkClaims is what go-oidc leaves to us; every case is a row of the test against a misbehaving provider.
func (p *Provider) checkClaims(claims claimSet, audience []string, flow domain.Flow) error {
	nonce := claims.text("nonce")
	left := p.config.NonceOptional && !claims.has("nonce")
	if !left && (nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(flow.Nonce)) != 1) {
		return errors.New("the nonce is missing or another one")
	}
	return p.checkPerson(claims, audience)
}

// checkPerson is what every ID token must say, at sign-in and when a session is renewed.
func (p *Provider) checkPerson(claims claimSet, audience []string) error {
	if !p.config.ForeignAzpAllowed && (claims.has("azp") || len(audience) > 1) && claims.text("azp") != p.config.ClientID {
		return fmt.Errorf("the token was issued to %.200q (azp)", claims.text("azp"))
	}
	if !isSubject(claims.text("sub")) {
		return errors.New("sub is missing, no text, or longer than 255 characters")
	}
	if tenant := entraTenant(p.config.Issuer); tenant != "" && claims.has("tid") && !strings.EqualFold(claims.text("tid"), tenant) {
		return fmt.Errorf("the token is from the tenant %.64q, not from %q", claims.text("tid"), tenant)
	}
	return checkTimes(claims, p.config.Now())
}

// checkTimes asks for exp and iat, and lets the clocks differ by skew (item 43).
func checkTimes(claims claimSet, now time.Time) error {
	expiry, hasExpiry := claims.time("exp")
	issued, hasIssued := claims.time("iat")
	notBefore, hasNotBefore := claims.time("nbf")
	if !hasExpiry || !hasIssued || claims.has("nbf") && !hasNotBefore {
		return errors.New("exp or iat is missing, or one of exp, iat and nbf is no time")
	}
	here := now.UTC().Format(time.RFC3339)
	switch {
	case now.After(expiry.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token expired at %s and it is %s here", expiry.Format(time.RFC3339), here)}
	case issued.After(now.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token was issued at %s and it is %s here", issued.Format(time.RFC3339), here)}
	case now.Sub(issued) > maxTokenAge:
		return &skewError{fmt.Sprintf("the ID token is from %s and it is %s here", issued.Format(time.RFC3339), here)}
	case notBefore.After(now.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token is not valid before %s and it is %s here", notBefore.Format(time.RFC3339), here)}
	default:
		return nil
	}
}

// addUserInfo asks for what the ID token left out; the answer must be about the same person (item 52).
func (p *Provider) addUserInfo(ctx context.Context, meta *metadata, token *oauth2.Token, claims claimSet, wanted []string) error {
	info, err := p.userInfo(ctx, meta, token)
	if err != nil {
		return err
	}
	if info.text("sub") != claims.text("sub") {
		return errors.New("userinfo is about somebody else")
	}
	// The two belong together: whether an address is verified is said by whoever said the address.
	if claims.text("email") == "" {
		claims["email"], claims["email_verified"] = info["email"], info["email_verified"]
	}
	// Where groups are elsewhere, userinfo says so in the same words (item 74).
	for _, marker := range []string{"_claim_names", "hasgroups"} {
		if !claims.has(marker) && info.has(marker) {
			claims[marker] = info[marker]
		}
	}
	for _, name := range append([]string{"name", "given_name", "family_name"}, wanted...) {
		if _, there := claims[name]; !there {
			claims[name] = info[name]
		}
	}
	return nil
}
