package db

import "muster/domain"

type flowStore struct{ handle }

type flowRow struct {
	State       domain.Digest  `db:"state"`
	Binding     domain.Digest  `db:"binding"`
	Provider    string         `db:"provider"`
	Issuer      string         `db:"issuer"`
	RedirectURI string         `db:"redirect_uri"`
	Nonce       string         `db:"nonce"`
	Verifier    string         `db:"verifier"`
	Next        string         `db:"next"`
	Purpose     domain.Purpose `db:"purpose"`
	Session     domain.Digest  `db:"session"`
	Claims      string         `db:"claims"`
	CreatedAt   int64          `db:"created_at"`
	ExpiresAt   int64          `db:"expires_at"`
}

const flowColumns = "state, binding, provider, issuer, redirect_uri, nonce, verifier, next, purpose, session, claims, created_at, expires_at"

func (r flowRow) flow() (domain.Flow, error) {
	flow := domain.Flow{
		State: r.State, Binding: r.Binding, Provider: r.Provider, Issuer: r.Issuer, RedirectURI: r.RedirectURI,
		Nonce: r.Nonce, Verifier: r.Verifier, Next: r.Next, Purpose: r.Purpose, Session: r.Session,
		CreatedAt: moment(r.CreatedAt), ExpiresAt: moment(r.ExpiresAt),
	}
	return flow, decode(r.Claims, &flow.Claims)
}

// Insert implements domain.FlowStore.
func (s flowStore) Insert(f domain.Flow) error {
	claims, err := encode(append([]string{}, f.Claims...))
	if err != nil {
		return err
	}
	_, err = s.exec("INSERT INTO flows ("+flowColumns+") VALUES ("+places(13)+")",
		f.State, f.Binding, f.Provider, f.Issuer, f.RedirectURI, f.Nonce, f.Verifier, f.Next, f.Purpose, f.Session, claims, micros(f.CreatedAt), micros(f.ExpiresAt))
	return err
}

// Consume implements domain.FlowStore.
func (s flowStore) Consume(state domain.Digest) (domain.Flow, error) {
	var row flowRow
	err := s.change("sign-in", &row, "DELETE FROM flows WHERE state = ? RETURNING "+flowColumns, state)
	if err != nil {
		return domain.Flow{}, err
	}
	return row.flow()
}

// DeleteExpired implements domain.FlowStore.
func (s flowStore) DeleteExpired(limit int) (int, error) {
	return s.exec("DELETE FROM flows WHERE state IN (SELECT state FROM flows WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)", micros(s.now), limit)
}
