package db

import (
	"strings"
	"time"

	"muster/domain"
)

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
	ID           domain.SessionID `db:"id"`
	Digest       domain.Digest    `db:"digest"`
	User         domain.UserID    `db:"user_id"`
	Provider     string           `db:"provider"`
	Issuer       string           `db:"issuer"`
	Subject      string           `db:"subject"`
	TokenSubject string           `db:"token_subject"`
	SID          string           `db:"sid"`
	AuthTime     int64            `db:"auth_time"`
	ACR          string           `db:"acr"`
	AMR          string           `db:"amr"`
	IP           string           `db:"ip"`
	UserAgent    string           `db:"user_agent"`
	RequestID    string           `db:"request_id"`
	CreatedAt    int64            `db:"created_at"`
	LastSeenAt   int64            `db:"last_seen_at"`
	ExpiresAt    int64            `db:"expires_at"`
	EndsAt       int64            `db:"ends_at"`
	Renewable    bool             `db:"renewable"`
	Lease        string           `db:"lease"`
	LeaseUntil   int64            `db:"lease_until"`
}

// checkedColumns are what every request of a browser needs; sessionColumns are all but the tokens, which are long and seldom needed.
const (
	checkedColumns = `s.id, s.digest, s.user_id, s.provider, s.issuer, s.subject, s.token_subject, s.auth_time,
	s.last_seen_at, s.expires_at, s.ends_at, s.refresh_token <> '' AS renewable, s.lease, s.lease_until`
	sessionColumns = checkedColumns + ", s.sid, s.acr, s.amr, s.ip, s.user_agent, s.request_id, s.created_at"
)

func (r sessionRow) session() (domain.Session, error) {
	session := domain.Session{
		ID: r.ID, Digest: r.Digest, User: r.User, Provider: r.Provider, Issuer: r.Issuer, Subject: r.Subject,
		TokenSubject: r.TokenSubject, SID: r.SID, AuthTime: moment(r.AuthTime), ACR: r.ACR,
		Client:    domain.Client{IP: r.IP, UserAgent: r.UserAgent, RequestID: r.RequestID},
		CreatedAt: moment(r.CreatedAt), LastSeenAt: moment(r.LastSeenAt), ExpiresAt: moment(r.ExpiresAt), EndsAt: moment(r.EndsAt),
		Renewable: r.Renewable, Lease: r.Lease, LeaseUntil: moment(r.LeaseUntil),
	}
	if r.AMR == "" {
		return session, nil
	}
	return session, decode(r.AMR, &session.AMR)
}

// Insert implements domain.SessionStore.
func (s sessionStore) Insert(v domain.Session, keep int) error {
	amr, err := encode(v.AMR)
	if err != nil {
		return err
	}
	if keep > 0 {
		// It leaves room for the new session, and neither sees it nor needs to, so that the two can go out together.
		err := s.later("older sessions", `DELETE FROM sessions WHERE user_id = ? AND id NOT IN
			(SELECT id FROM sessions WHERE user_id = ? AND ends_at > ? ORDER BY id DESC LIMIT ?)`, v.User, v.User, micros(s.now), keep-1)
		if err != nil {
			return err
		}
	}
	return s.later("sessions", `INSERT INTO sessions (id, digest, user_id, provider, issuer, subject, token_subject, sid, auth_time, acr, amr,
		ip, user_agent, request_id, created_at, last_seen_at, expires_at, ends_at, refresh_token, id_token) VALUES (`+places(20)+")",
		v.ID, v.Digest, v.User, v.Provider, v.Issuer, v.Subject, v.TokenSubject, v.SID, micros(v.AuthTime), v.ACR, amr,
		v.Client.IP, v.Client.UserAgent, v.Client.RequestID, micros(v.CreatedAt), micros(v.LastSeenAt), micros(v.ExpiresAt), micros(v.EndsAt),
		v.Tokens.Refresh, v.Tokens.ID)
}

// Find implements domain.SessionStore.
func (s sessionStore) Find(digest domain.Digest) (domain.Session, domain.Holder, error) {
	var rows []struct {
		sessionRow
		holderRow
	}
	err := s.all(&rows, "SELECT "+checkedColumns+", "+holderColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id
		LEFT JOIN members m ON m.user_id = u.id LEFT JOIN orgs o ON o.id = m.org_id
		WHERE s.digest = ? AND s.ends_at > ? AND NOT EXISTS (SELECT 1 FROM disabled_providers d WHERE d.id = s.provider) ORDER BY o.display_name_key, o.id`, digest, micros(s.now))
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

// List implements domain.SessionStore.
func (s sessionStore) List(filter domain.SessionFilter) ([]domain.Session, error) {
	where, args := sessionsWhere(filter)
	var rows []sessionRow
	err := s.all(&rows, "SELECT "+sessionColumns+" FROM sessions s WHERE s.ends_at > ? AND "+where+" ORDER BY s.id DESC", append([]any{micros(s.now)}, args...)...)
	if err != nil {
		return nil, err
	}
	return convert(rows, sessionRow.session)
}

// UserOf implements domain.SessionStore.
func (s sessionStore) UserOf(issuer, tokenSubject string) (domain.UserID, error) {
	var user domain.UserID
	err := s.get("session", &user, "SELECT user_id FROM sessions WHERE issuer = ? AND token_subject = ? ORDER BY id DESC LIMIT 1", issuer, tokenSubject)
	return user, err
}

// Touch implements domain.SessionStore.
func (s sessionStore) Touch(digest domain.Digest, at time.Time) error {
	_, err := s.exec("UPDATE sessions SET last_seen_at = ? WHERE digest = ?", micros(at), digest)
	return err
}

// Delete implements domain.SessionStore.
func (s sessionStore) Delete(digest domain.Digest) (domain.Tokens, error) {
	var row tokensRow
	err := s.change("session", &row, "DELETE FROM sessions WHERE digest = ? RETURNING refresh_token, id_token", digest)
	return domain.Tokens(row), err
}

// DeleteOfUser implements domain.SessionStore.
func (s sessionStore) DeleteOfUser(user domain.UserID) error {
	return s.later("sessions", "DELETE FROM sessions WHERE user_id = ?", user)
}

// DeleteWhere implements domain.SessionStore.
func (s sessionStore) DeleteWhere(filter domain.SessionFilter) ([]domain.EndedSession, error) {
	where, args := sessionsWhere(filter)
	var rows []struct {
		ID   domain.SessionID `db:"id"`
		User domain.UserID    `db:"user_id"`
	}
	err := s.changeAll(&rows, "DELETE FROM sessions AS s WHERE "+where+" RETURNING id, user_id", args...)
	ended := make([]domain.EndedSession, len(rows))
	for i, row := range rows {
		ended[i] = domain.EndedSession(row)
	}
	return ended, err
}

// DeleteExpired implements domain.SessionStore.
func (s sessionStore) DeleteExpired(limit int) (int, error) {
	return s.exec("DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)", micros(s.now), limit)
}

// sessionsWhere writes a filter as a condition on sessions "s".
func sessionsWhere(f domain.SessionFilter) (string, []any) {
	var conditions []string
	var args []any
	also := func(condition string, values ...any) {
		conditions = append(conditions, condition)
		args = append(args, values...)
	}
	if f.Everybody {
		also("1 = 1")
	}
	if f.ID != "" {
		also("s.id = ?", f.ID)
	}
	if f.User != "" {
		also("s.user_id = ?", f.User)
	}
	if f.Provider != "" {
		also("s.provider = ?", f.Provider)
	}
	if f.Members != "" {
		also("s.user_id IN (SELECT m.user_id FROM members m WHERE m.org_id = ?)", f.Members)
	}
	if f.OnlyHere {
		also("NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = s.user_id AND m.org_id <> ? AND m.status = ?)", f.Members, domain.Active)
	}
	if len(f.Of) > 0 {
		also("s.provider IN ("+places(len(f.Of))+")", list(f.Of)...)
	}
	if len(f.NotOf) > 0 {
		also("s.provider NOT IN ("+places(len(f.NotOf))+")", list(f.NotOf)...)
	}
	if f.Ended != nil {
		condition, values := endedWhere(*f.Ended)
		also(condition, values...)
	}
	if len(conditions) == 0 {
		return "1 = 0", nil
	}
	if f.Except != "" {
		also("s.id <> ?", f.Except)
	}
	return strings.Join(conditions, " AND "), args
}

// endedWhere is what a provider's logout means (item 105): the sessions of its sid, and those of the same person that have none;
// without a sid all sessions of the person.
func endedWhere(l domain.ProviderLogout) (string, []any) {
	if l.SID == "" {
		return "s.issuer = ? AND s.token_subject = ?", []any{l.Issuer, l.Subject}
	}
	// Each part finds its rows by an index, of which the one of sids leaves out those without.
	return `s.digest IN (SELECT named.digest FROM sessions named WHERE named.issuer = ? AND named.sid = ? AND named.sid <> ''
		UNION ALL SELECT nameless.digest FROM sessions nameless WHERE nameless.issuer = ? AND nameless.sid = '' AND nameless.token_subject IN
		(SELECT same.token_subject FROM sessions same WHERE same.issuer = ? AND same.sid = ? AND same.sid <> '' UNION ALL SELECT ?))`,
		[]any{l.Issuer, l.SID, l.Issuer, l.Issuer, l.SID, l.Subject}
}

func list[T any](values []T) []any {
	args := make([]any, len(values))
	for i, value := range values {
		args[i] = value
	}
	return args
}

// tokensRow are a session's sealed tokens.
type tokensRow struct {
	Refresh string `db:"refresh_token"`
	ID      string `db:"id_token"`
}
