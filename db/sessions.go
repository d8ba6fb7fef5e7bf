package db

import "muster/domain"

type sessionStore struct{ handle }

// holderRow is a user with one of its memberships; the columns of a membership are null when there is none.
type holderRow struct {
	UserID        *domain.UserID    `db:"u_id"`
	UserEmail     *string           `db:"u_email"`
	UserName      *string           `db:"u_full_name"`
	UserCreatedAt *int64            `db:"u_created_at"`
	Org           *domain.OrgID     `db:"m_org_id"`
	OrgName       *string           `db:"o_name"`
	Personal      *bool             `db:"o_personal"`
	Member        *domain.MemberID  `db:"m_id"`
	Status        *domain.Status    `db:"m_status"`
	CreatedAt     *int64            `db:"m_created_at"`
	Role          *domain.RoleID    `db:"m_role_id"`
	Kind          *domain.GrantKind `db:"m_grant_kind"`
	Source        *string           `db:"m_grant_source"`
	SourceName    *string           `db:"m_grant_source_name"`
	At            *int64            `db:"m_granted_at"`
	Replaced      *string           `db:"m_replaced"`
}

const holderColumns = `u.id AS u_id, u.email AS u_email, u.full_name AS u_full_name, u.created_at AS u_created_at,
	m.org_id AS m_org_id, o.display_name AS o_name, o.personal AS o_personal, m.id AS m_id, m.status AS m_status, m.created_at AS m_created_at,
	m.role_id AS m_role_id, m.grant_kind AS m_grant_kind, m.grant_source AS m_grant_source, m.grant_source_name AS m_grant_source_name,
	m.granted_at AS m_granted_at, m.replaced AS m_replaced`

// add takes the row's user and membership into the holder.
func (r holderRow) add(holder *domain.Holder) error {
	if r.UserID == nil {
		return nil
	}
	holder.User = domain.User{ID: *r.UserID, Email: *r.UserEmail, FullName: *r.UserName, CreatedAt: moment(*r.UserCreatedAt)}
	if r.Org == nil {
		return nil
	}
	row := membershipRow{
		Org: *r.Org, OrgName: *r.OrgName, Personal: *r.Personal,
		memberRow: memberRow{
			ID: *r.Member, User: *r.UserID, Status: *r.Status, CreatedAt: *r.CreatedAt,
			heldRow: heldRow{Role: *r.Role, Kind: *r.Kind, Source: *r.Source, SourceName: *r.SourceName, At: *r.At, Replaced: *r.Replaced},
		},
	}
	membership, err := row.membership()
	holder.Memberships = append(holder.Memberships, membership)
	return err
}

type sessionRow struct {
	ID        domain.SessionID `db:"id"`
	Digest    domain.Digest    `db:"digest"`
	User      domain.UserID    `db:"user_id"`
	Provider  string           `db:"provider"`
	Issuer    string           `db:"issuer"`
	Subject   string           `db:"subject"`
	SID       string           `db:"sid"`
	AuthTime  int64            `db:"auth_time"`
	ACR       string           `db:"acr"`
	AMR       string           `db:"amr"`
	IP        string           `db:"ip"`
	UserAgent string           `db:"user_agent"`
	RequestID string           `db:"request_id"`
	CreatedAt int64            `db:"created_at"`
	ExpiresAt int64            `db:"expires_at"`
}

const sessionColumns = "id, digest, user_id, provider, issuer, subject, sid, auth_time, acr, amr, ip, user_agent, request_id, created_at, expires_at"

func (r sessionRow) session() (domain.Session, error) {
	session := domain.Session{
		ID: r.ID, Digest: r.Digest, User: r.User, Provider: r.Provider, Issuer: r.Issuer, Subject: r.Subject, SID: r.SID,
		AuthTime: moment(r.AuthTime), ACR: r.ACR, Client: domain.Client{IP: r.IP, UserAgent: r.UserAgent, RequestID: r.RequestID},
		CreatedAt: moment(r.CreatedAt), ExpiresAt: moment(r.ExpiresAt),
	}
	return session, decode(r.AMR, &session.AMR)
}

// Insert implements domain.SessionStore.
func (s sessionStore) Insert(v domain.Session) error {
	amr, err := encode(v.AMR)
	if err != nil {
		return err
	}
	_, err = s.exec("INSERT INTO sessions ("+sessionColumns+") VALUES ("+places(15)+")",
		v.ID, v.Digest, v.User, v.Provider, v.Issuer, v.Subject, v.SID, micros(v.AuthTime), v.ACR, amr,
		v.Client.IP, v.Client.UserAgent, v.Client.RequestID, micros(v.CreatedAt), micros(v.ExpiresAt))
	return err
}

// Find implements domain.SessionStore.
func (s sessionStore) Find(digest domain.Digest) (domain.Session, domain.Holder, error) {
	var rows []struct {
		sessionRow
		holderRow
	}
	err := s.all(&rows, `SELECT s.id, s.digest, s.user_id, s.provider, s.issuer, s.subject, s.sid, s.auth_time, s.acr, s.amr,
		s.ip, s.user_agent, s.request_id, s.created_at, s.expires_at, `+holderColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id
		LEFT JOIN members m ON m.user_id = u.id LEFT JOIN orgs o ON o.id = m.org_id
		WHERE s.digest = ? AND s.expires_at > ? ORDER BY o.display_name_key, o.id`, digest, micros(s.now))
	if err != nil {
		return domain.Session{}, domain.Holder{}, err
	}
	if len(rows) == 0 {
		return domain.Session{}, domain.Holder{}, notFound("session")
	}
	var holder domain.Holder
	for _, row := range rows {
		if err := row.add(&holder); err != nil {
			return domain.Session{}, domain.Holder{}, err
		}
	}
	session, err := rows[0].session()
	return session, holder, err
}

// Delete implements domain.SessionStore.
func (s sessionStore) Delete(digest domain.Digest) (bool, error) {
	rows, err := s.exec("DELETE FROM sessions WHERE digest = ?", digest)
	return rows > 0, err
}

// DeleteOfUser implements domain.SessionStore.
func (s sessionStore) DeleteOfUser(user domain.UserID) error {
	return s.later("sessions", "DELETE FROM sessions WHERE user_id = ?", user)
}

// DeleteExpired implements domain.SessionStore.
func (s sessionStore) DeleteExpired(limit int) (int, error) {
	return s.exec("DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)", micros(s.now), limit)
}
