package domain

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// SetUpToken returns the secret of the set-up link: the first person who signs in with it becomes Organization Admin (R7).
// It is the same at every start and in every process, and worth nothing as soon as there is an Admin: then it is NotFound,
// as it is where an address is configured.
func (s *Service) SetUpToken(ctx context.Context) (Secret, error) {
	key, err := s.SigningKey(ctx)
	if err != nil {
		return "", err
	}
	err = s.store.Read(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		if err != nil {
			return err
		}
		open, err := s.setUpOpen(tx.Org(within(installation.InitialOrg, systemActor())), installation)
		if err == nil && !open {
			return Errorf(NotFound, "this installation has an Organization Admin; \"muster admin add ADDRESS\" makes another one")
		}
		return err
	})
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("set-up link"))
	return Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), nil
}

// CheckSetUpToken returns NotFound for a token that is wrong or no longer good, without saying which.
func (s *Service) CheckSetUpToken(ctx context.Context, token string) error {
	want, err := s.SetUpToken(ctx)
	if err != nil && !IsKind(err, NotFound) {
		return err
	}
	if err != nil || subtle.ConstantTimeCompare([]byte(token), []byte(want)) != 1 {
		return Errorf(NotFound, "this set-up link has been used, or is not complete")
	}
	return nil
}

// setUpOpen reports whether the initial organization still waits for its first Admin.
func (s *Service) setUpOpen(org OrgTx, installation Installation) (bool, error) {
	if s.policy.InitialAdminEmail != "" || installation.Admin != "" || installation.InitialOrg != installation.DefaultOrg {
		return false, nil
	}
	admins, err := org.Members().CountAdmins()
	return admins == 0, err
}
