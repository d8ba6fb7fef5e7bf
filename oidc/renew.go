package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"muster/domain"
)

// Providers are all that are enabled; it implements domain.Renewer.
type Providers []*Provider

// Get returns the provider with an id, or nil.
func (ps Providers) Get(id string) *Provider {
	i := slices.IndexFunc(ps, func(p *Provider) bool { return p.config.ID == id })
	if i < 0 {
		return nil
	}
	return ps[i]
}

// Renew implements domain.Renewer.
func (ps Providers) Renew(ctx context.Context, session domain.Session, refreshToken string) (domain.Renewal, error) {
	provider := ps.Get(session.Provider)
	if provider == nil {
		return domain.Renewal{}, refusedRenewal("the provider is no longer configured")
	}
	return provider.renew(ctx, session, refreshToken)
}

func refusedRenewal(detail string) error {
	return &domain.Refusal{Reason: domain.ReasonNotRenewed, Detail: plain(detail, maxDetail)}
}

// shortRenewal is how long a renewal lasts when the provider says neither by an ID token nor by expires_in.
const shortRenewal = 5 * time.Minute

// renew redeems a refresh token (OpenID Connect Core section 12).
// The provider's "no" is a refusal; everything else that goes wrong means that it could not be asked.
func (p *Provider) renew(ctx context.Context, session domain.Session, refreshToken string) (domain.Renewal, error) {
	meta, err := p.metadata(ctx)
	if err != nil {
		return domain.Renewal{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.redeem(meta, func(config oauth2.Config) (*oauth2.Token, error) {
		return config.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	})
	if err != nil {
		p.config.Log.InfoContext(ctx, "a session was not renewed", "provider", p.config.ID, "session", session.ID, "error", exchangeCause(err))
		if saysNo(err) {
			return domain.Renewal{}, refusedRenewal(exchangeCause(err).Error())
		}
		return domain.Renewal{}, exchangeCause(err)
	}
	return p.renewed(ctx, meta, session, token, refreshToken)
}

// saysNo tells a provider that ends the session from one that has a trouble of its own, or with our registration there.
func saysNo(err error) bool {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && slices.Contains([]string{"invalid_grant", "access_denied", "login_required", "interaction_required", "consent_required"}, refused.ErrorCode)
}

// renewed checks the answer: a refreshed ID token is about the same person, from the same issuer, for us (item 96).
func (p *Provider) renewed(ctx context.Context, meta *metadata, session domain.Session, token *oauth2.Token, old string) (domain.Renewal, error) {
	renewal := domain.Renewal{TokenExpiry: token.Expiry}
	if token.RefreshToken != old {
		renewal.RefreshToken = token.RefreshToken
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		if renewal.TokenExpiry.IsZero() {
			renewal.TokenExpiry = p.config.Now().Add(shortRenewal)
		}
		if soon := p.config.Now().Add(skew); renewal.TokenExpiry.Before(soon) {
			renewal.TokenExpiry = soon
		}
		return renewal, nil
	}
	claims, err := p.checkRenewed(ctx, meta, session, raw)
	if _, away := errors.AsType[*awayError](err); away {
		return domain.Renewal{}, err
	}
	if err != nil {
		return domain.Renewal{}, refusedRenewal(err.Error())
	}
	renewal.TokenExpiry, _ = claims.time("exp")
	if soon := p.config.Now().Add(skew); renewal.TokenExpiry.Before(soon) {
		renewal.TokenExpiry = soon
	}
	if p.config.KeepIDToken {
		renewal.IDToken = raw
	}
	return renewal, nil
}

func (p *Provider) checkRenewed(ctx context.Context, meta *metadata, session domain.Session, raw string) (claimSet, error) {
	if err := checkType(raw); err != nil {
		return nil, err
	}
	keys := &watchedKeys{KeySet: meta.keys}
	verified, err := p.checkWith(ctx, keys, meta.checks, raw)
	if aged := meta.keys.source.aged(); err != nil && keys.err != nil && aged != nil {
		// The token may be signed by a key that could not be read: nobody loses their session for that (item 51).
		return nil, &awayError{aged}
	}
	if err != nil {
		return nil, err
	}
	var claims claimSet
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("the ID token's claims: %w", err)
	}
	if err := p.checkPerson(claims, verified.Audience); err != nil {
		return nil, err
	}
	subject := claims.text(subjectClaim(p.config.Issuer, p.config.SubjectClaims))
	if claims.text("sub") != session.TokenSubject || subject != session.Subject {
		return nil, errors.New("the renewed ID token is about somebody else")
	}
	return claims, nil
}

// redeem runs a request at the token endpoint, and once more with the secret before when the provider does not know the client
// by its present one (item 13); a code that was not looked at is still good.
func (p *Provider) redeem(meta *metadata, request func(oauth2.Config) (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, err := request(meta.oauth)
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || p.config.PreviousSecret == "" {
		return token, err
	}
	unknown := refused.ErrorCode == "invalid_client" ||
		refused.ErrorCode == "" && refused.Response != nil && refused.Response.StatusCode == http.StatusUnauthorized
	if !unknown {
		return token, err
	}
	before := meta.oauth
	before.ClientSecret = p.config.PreviousSecret
	return request(before)
}
