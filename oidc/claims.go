package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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
	maxSubject  = 255
)

// tokenClaims is what is read from an ID token.
type tokenClaims struct {
	Subject       string          `json:"sub"`
	AuthorizedBy  string          `json:"azp"`
	Expiry        *float64        `json:"exp"`
	IssuedAt      *float64        `json:"iat"`
	NotBefore     *float64        `json:"nbf"`
	AuthTime      *float64        `json:"auth_time"`
	Nonce         string          `json:"nonce"`
	SessionID     string          `json:"sid"`
	ACR           string          `json:"acr"`
	AMR           json.RawMessage `json:"amr"`
	Email         string          `json:"email"`
	EmailVerified json.RawMessage `json:"email_verified"`
	Name          string          `json:"name"`
	GivenName     string          `json:"given_name"`
	FamilyName    string          `json:"family_name"`
}

// skewError is a token whose times do not fit our clock.
type skewError struct{ text string }

func (e *skewError) Error() string { return e.text }

// verify checks the token answer by section 1.4 and returns what the provider says about the person.
func (p *Provider) verify(ctx context.Context, meta *metadata, token *oauth2.Token, flow domain.Flow) (domain.Claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return domain.Claims{}, errors.New("the token answer holds no id_token")
	}
	if !strings.EqualFold(token.TokenType, "Bearer") {
		return domain.Claims{}, fmt.Errorf("the token type is %q, not Bearer", token.TokenType)
	}
	if err := checkType(raw); err != nil {
		return domain.Claims{}, err
	}
	verified, err := meta.verifier.Verify(oidc.ClientContext(ctx, p.client), raw)
	if err != nil {
		return domain.Claims{}, fmt.Errorf("the ID token: %w", err)
	}
	var claims tokenClaims
	if err := verified.Claims(&claims); err != nil {
		return domain.Claims{}, fmt.Errorf("the ID token's claims: %w", err)
	}
	if err := p.checkClaims(claims, verified, flow); err != nil {
		return domain.Claims{}, err
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return domain.Claims{}, fmt.Errorf("at_hash: %w", err)
		}
	}
	if claims.Email == "" {
		if err := p.addUserInfo(ctx, meta, token, &claims); err != nil {
			return domain.Claims{}, err
		}
	}
	return p.describe(claims, verified)
}

// checkType refuses access and logout tokens in an ID token's place (item 47).
func checkType(raw string) error {
	head, _, _ := strings.Cut(raw, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return errors.New("the ID token is no JWT")
	}
	var header struct {
		Type string `json:"typ"`
	}
	if err := json.Unmarshal(decoded, &header); err != nil {
		return errors.New("the ID token's header is no JSON")
	}
	if kind := strings.ToLower(strings.TrimPrefix(header.Type, "application/")); kind != "" && kind != "jwt" {
		return fmt.Errorf("a token of type %q is no ID token", header.Type)
	}
	return nil
}

// checkClaims is what go-oidc leaves to us; every case is a row of the test against a misbehaving provider.
func (p *Provider) checkClaims(claims tokenClaims, verified *oidc.IDToken, flow domain.Flow) error {
	if claims.Nonce == "" || subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(flow.Nonce)) != 1 {
		return errors.New("the nonce is missing or another one")
	}
	if (claims.AuthorizedBy != "" || len(verified.Audience) > 1) && claims.AuthorizedBy != p.config.ClientID {
		return fmt.Errorf("the token was issued to %q (azp)", claims.AuthorizedBy)
	}
	if claims.Subject == "" || len(claims.Subject) > maxSubject {
		return errors.New("sub is missing or longer than 255 characters")
	}
	return p.checkTimes(claims)
}

func (p *Provider) checkTimes(claims tokenClaims) error {
	now := p.config.Now()
	if claims.Expiry == nil || claims.IssuedAt == nil {
		return errors.New("exp or iat is missing")
	}
	expiry, issued := unix(*claims.Expiry), unix(*claims.IssuedAt)
	switch {
	case now.After(expiry.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token expired at %s and it is %s here", expiry, now)}
	case issued.After(now.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token was issued at %s and it is %s here", issued, now)}
	case now.Sub(issued) > maxTokenAge:
		return &skewError{fmt.Sprintf("the ID token is from %s and it is %s here", issued, now)}
	case claims.NotBefore != nil && unix(*claims.NotBefore).After(now.Add(skew)):
		return &skewError{fmt.Sprintf("the ID token is not valid before %s and it is %s here", unix(*claims.NotBefore), now)}
	default:
		return nil
	}
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// addUserInfo asks for what the ID token left out; the answer must be about the same person (item 52).
func (p *Provider) addUserInfo(ctx context.Context, meta *metadata, token *oauth2.Token, claims *tokenClaims) error {
	if meta.userinfo.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := p.userInfo(ctx, meta, token)
	if err != nil {
		return err
	}
	if info.Subject != claims.Subject {
		return errors.New("userinfo is about somebody else")
	}
	claims.Email, claims.EmailVerified = info.Email, info.EmailVerified
	if claims.Name == "" {
		claims.Name, claims.GivenName, claims.FamilyName = info.Name, info.GivenName, info.FamilyName
	}
	return nil
}

// describe turns checked claims into what the rules decide on.
func (p *Provider) describe(claims tokenClaims, verified *oidc.IDToken) (domain.Claims, error) {
	subject, err := p.subject(verified, claims.Subject)
	if err != nil {
		return domain.Claims{}, err
	}
	described := domain.Claims{
		Provider: p.config.ID, Issuer: p.config.Issuer, Subject: subject,
		Email: strings.TrimSpace(claims.Email), EmailTrusted: p.config.TrustEmail || saysTrue(claims.EmailVerified),
		FullName: fullName(claims), SessionID: claims.SessionID, ACR: claims.ACR, AMR: texts(claims.AMR),
		TokenExpiry: unix(*claims.Expiry), SessionMax: p.config.SessionMax, OverrideExpiry: p.config.OverrideExpiry,
	}
	if claims.AuthTime != nil {
		described.AuthTime = unix(*claims.AuthTime)
	}
	return described, nil
}

// subject is the resolved subject: sub, or the claim configured for the longest matching issuer prefix (R11).
func (p *Provider) subject(verified *oidc.IDToken, sub string) (string, error) {
	claim := subjectClaim(p.config.Issuer, p.config.SubjectClaims)
	if claim == "sub" {
		return sub, nil
	}
	var all map[string]json.RawMessage
	if err := verified.Claims(&all); err != nil {
		return "", err
	}
	var subject string
	if err := json.Unmarshal(all[claim], &subject); err != nil || subject == "" || len(subject) > maxSubject {
		return "", fmt.Errorf("the claim %q, which is this issuer's subject, is missing or no text", claim)
	}
	return subject, nil
}

// subjectClaim finds the claim for an issuer; Entra's sub differs per application, its oid does not.
func subjectClaim(issuer string, overrides map[string]string) string {
	claim, longest := "sub", -1
	for _, prefix := range []string{"https://login.microsoftonline.com/", "https://sts.windows.net/", "https://login.microsoftonline.us/", "https://login.partner.microsoftonline.cn/"} {
		if strings.HasPrefix(issuer, prefix) {
			claim = "oid"
		}
	}
	for prefix, override := range overrides {
		if strings.HasPrefix(issuer, prefix) && len(prefix) > longest {
			claim, longest = override, len(prefix)
		}
	}
	return claim
}

// saysTrue accepts true and "true" and nothing else (item 53).
func saysTrue(raw json.RawMessage) bool { return string(raw) == "true" || string(raw) == `"true"` }

func fullName(claims tokenClaims) string {
	if claims.Name != "" {
		return claims.Name
	}
	return strings.TrimSpace(claims.GivenName + " " + claims.FamilyName)
}

// texts reads a list of strings, or one string, and ignores anything else.
func texts(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}
