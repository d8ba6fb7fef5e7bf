package domain

import (
	"context"
	"sync"
	"time"
)

// A presumption saves hot reads the statement that checks the credential: a token that was checked a moment ago is presumed
// to be there still, and the statement that reads checks it along the way.
// A deleted token is refused by the next request all the same (R25); a changed profile or schema may take presumedFor to be seen by another process.

const (
	presumedFor = 5 * time.Second
	maxPresumed = 10_000
)

// presumptions are the SCIM tokens checked a moment ago, by digest.
type presumptions struct {
	mutex sync.Mutex
	known map[Digest]presumption
}

type presumption struct {
	token SCIMToken
	until time.Time
}

// keep remembers a token that was just checked; one that expires is checked each time.
func (p *presumptions) keep(token SCIMToken) {
	if !token.ExpiresAt.IsZero() {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.known == nil || len(p.known) >= maxPresumed {
		p.known = map[Digest]presumption{}
	}
	p.known[token.Digest] = presumption{token, time.Now().Add(presumedFor)}
}

func (p *presumptions) find(digest Digest) (SCIMToken, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	found, ok := p.known[digest]
	return found.token, ok && time.Now().Before(found.until)
}

func (p *presumptions) forget() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.known = nil
}

// PresumeSCIMToken returns the scope of a SCIM token that was checked a moment ago; false for any other.
// GetUser and QueryUsers check such a scope in the statement that reads, everything else in one of its own.
// A caller that fails before it asked either must check the token itself.
func (s *Service) PresumeSCIMToken(secret string, client Client) (OrgScope, bool) {
	if kind, ok := secretKindOf(secret); !ok || kind != SecretSCIM {
		return OrgScope{}, false
	}
	token, ok := s.presumed.find(DigestOf(secret))
	if !ok {
		return OrgScope{}, false
	}
	scope := tokenScope(token, client)
	scope.presumed = token.ID
	return scope, true
}

// verify checks a presumed scope's token; any other scope was checked when it was made.
func (o OrgScope) verify(org OrgTx) error {
	if o.presumed == "" {
		return nil
	}
	holds, err := org.Tokens().Exists(o.presumed)
	if err == nil && !holds {
		return unauthenticated(nil)
	}
	return err
}

// readPresumed is readOrg for a statement that checks the presumption itself when it finds something.
func (s *Service) readPresumed(ctx context.Context, scope OrgScope, fn func(OrgTx) (found bool, err error)) error {
	return s.store.Read(ctx, func(tx Tx) error {
		org := tx.Org(scope)
		found, err := fn(org)
		if found && err == nil {
			return nil
		}
		if verifyErr := scope.verify(org); verifyErr != nil {
			return verifyErr
		}
		return err
	})
}
