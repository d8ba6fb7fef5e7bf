package domain

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Invite is a pending member.
type Invite struct {
	ID    InviteID
	Email string
	// Role is the org role the person will have.
	Role       RoleID
	Workspaces []WorkspaceID
	// WorkspaceRole is the role in them, but for those in OwnRoles, for which a workspace's own people decided.
	WorkspaceRole RoleID
	OwnRoles      map[WorkspaceID]RoleID
	// FromWorkspace says that only workspaces invited the person (R21): the invite ends when the last of them withdraws.
	FromWorkspace bool
	InvitedBy     string
	CreatedAt     time.Time
	// ExpiresAt is zero when the invite does not expire (R23).
	ExpiresAt time.Time
}

// Open reports whether the invite still lets its addressee in.
func (i Invite) Open(now time.Time) bool { return i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt) }

// RoleIn returns the role that the person will have in one of the invite's workspaces.
func (i Invite) RoleIn(workspace WorkspaceID) RoleID {
	if role, ok := i.OwnRoles[workspace]; ok {
		return role
	}
	return i.WorkspaceRole
}

// MaxBatch is how many addresses one request may invite (R20).
const MaxBatch = 500

// InviteRequest is one address to invite (R20).
type InviteRequest struct {
	Email string
	// Role is the org role; empty means Organization User.
	Role RoleID
	// Workspaces and WorkspaceRole say where the person will be; an empty role means Editor.
	Workspaces    []WorkspaceID
	WorkspaceRole RoleID
}

// Invite makes somebody a pending member; inviting an address again adds workspaces and replaces roles (R20, R22).
func (s *Service) Invite(ctx context.Context, scope OrgScope, request InviteRequest) (Invite, error) {
	invites, err := s.invite(ctx, scope, []InviteRequest{request}, "invite_user_to_org")
	if err != nil {
		return Invite{}, alone(err)
	}
	return invites[0], nil
}

// InviteAll makes up to MaxBatch people pending members, all or none; the error names every bad row (R20).
func (s *Service) InviteAll(ctx context.Context, scope OrgScope, requests []InviteRequest) ([]Invite, error) {
	return s.invite(ctx, scope, requests, "invite_users_to_org_batch")
}

func (s *Service) invite(ctx context.Context, scope OrgScope, requests []InviteRequest, operation string) ([]Invite, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return nil, err
	}
	var invites []Invite
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		i := inviting{Service: s, tx: tx, org: org, scope: scope, operation: operation}
		if err := i.prepare(requests); err != nil {
			return err
		}
		if err := i.mayInvite(); err != nil {
			return err
		}
		for row := range i.rows {
			i.problems.add(row, i.checkRow(&i.rows[row]))
		}
		if err := i.problems.err(); err != nil {
			return err
		}
		if slices.ContainsFunc(i.rows, func(r inviteRow) bool { return r.Role == RoleOrgAdmin }) {
			if err := s.requireRecent(tx, scope); err != nil {
				return err
			}
		}
		var err error
		invites, err = i.putAll()
		return err
	})
	return invites, err
}

// inviting is a request to invite inside its transaction.
type inviting struct {
	*Service

	tx        Tx
	org       OrgTx
	scope     OrgScope
	operation string

	settings OrgView
	roles    Roles
	// living are the workspaces that can be named.
	living map[WorkspaceID]Workspace
	rows   []inviteRow
	// members and pending are who is known by the addresses' keys.
	members  map[string]MemberView
	pending  map[string]Invite
	problems problems
}

// inviteRow is one address with its defaults filled in.
type inviteRow struct {
	InviteRequest

	key string
}

// prepare reads all that the rows can name, in a few queries however many rows there are.
func (i *inviting) prepare(requests []InviteRequest) error {
	if len(requests) == 0 || len(requests) > MaxBatch {
		return Invalidf("", "send between 1 and %d addresses at a time", MaxBatch)
	}
	seen := map[string]int{}
	for row, request := range requests {
		key, err := EmailKey("email", request.Email)
		i.rows = append(i.rows, inviteRow{request.withDefaults(), key})
		if earlier, twice := seen[key]; err == nil && twice {
			err = Invalidf("email", "row %d has the same address", earlier)
		}
		i.problems.add(row, err)
		seen[key] = row
	}
	var err error
	if i.settings, err = orgView(i.tx, i.org); err != nil {
		return err
	}
	if i.roles, err = rolesOf(i.org); err != nil {
		return err
	}
	workspaces, err := i.org.Workspaces().List(false)
	if err != nil {
		return err
	}
	i.living = map[WorkspaceID]Workspace{}
	for _, workspace := range workspaces {
		i.living[workspace.ID] = workspace
	}
	return i.readKnown(slices.Collect(maps.Keys(seen)))
}

func (r InviteRequest) withDefaults() InviteRequest {
	if r.Role == "" {
		r.Role = RoleOrgUser
	}
	if r.WorkspaceRole == "" {
		r.WorkspaceRole = RoleWorkEditor
	}
	r.Workspaces = unique(r.Workspaces)
	return r
}

// readKnown reads the members and the open invites with these addresses.
func (i *inviting) readKnown(keys []string) error {
	i.members, i.pending = map[string]MemberView{}, map[string]Invite{}
	query := MemberQuery{Emails: keys, Window: Window{Limit: MaxBatch}}
	members, err := i.org.Members().List(query)
	if err != nil {
		return err
	}
	for _, member := range members {
		i.members[Fold(member.Email)] = member
	}
	pending, err := i.org.Invites().List(query)
	for _, invite := range pending {
		if invite.Open(i.tx.Now()) {
			i.pending[Fold(invite.Email)] = invite
		}
	}
	return err
}

// mayInvite refuses where invites are off: in the default organization by its setting, in a personal one always.
func (i *inviting) mayInvite() error {
	if i.settings.Personal {
		return Errorf(Forbidden, "a personal organization has no other members")
	}
	if i.settings.Default && !i.settings.Settings.InvitesEnabled {
		return Errorf(Forbidden, "invites are switched off in the default organization; an Admin can switch them on (invites_enabled)")
	}
	return nil
}

// checkRow refuses what an Operator may not give (R4), what is not there, and whoever is in already (R22).
func (i *inviting) checkRow(row *inviteRow) error {
	if err := i.checkPlaces(row); err != nil {
		return err
	}
	if err := i.roles.check("role_id", row.Role, ScopeOrganization); err != nil {
		return err
	}
	if err := mayGive(i.scope, row.Role); err != nil {
		return err
	}
	if earlier, ok := i.pending[row.key]; ok {
		if err := mayGive(i.scope, earlier.Role); err != nil {
			return Errorf(Forbidden, "%s is invited as %s; only an Organization Admin may change that", row.Email, RoleName(earlier.Role))
		}
	}
	if member, ok := i.members[row.key]; ok && member.Status == Active {
		return Conflictf("email", "%s is a member of this organization already", member.Email)
	}
	return nil
}

// checkPlaces checks the workspaces and the role in them.
func (i *inviting) checkPlaces(row *inviteRow) error {
	for _, id := range row.Workspaces {
		if _, ok := i.living[id]; !ok {
			return Invalidf("workspace_ids", "there is no workspace %q in this organization", id)
		}
	}
	return i.roles.check("workspace_role_id", row.WorkspaceRole, ScopeWorkspace)
}

// putAll writes the invites, and lets those in again who were deleted through SCIM (R30).
func (i *inviting) putAll() ([]Invite, error) {
	var invites []Invite
	var marks []Digest
	for _, row := range i.rows {
		invite := i.merge(row)
		if err := i.put(invite); err != nil {
			return nil, err
		}
		invites, marks = append(invites, invite), append(marks, marksOf(row.key)...)
	}
	return invites, i.org.Tombstones().Clear(marks)
}

func (i *inviting) put(invite Invite) error {
	if err := i.org.Invites().Put(invite); err != nil {
		return err
	}
	if err := i.mailInvite(i.tx, i.org, i.settings.DisplayName, invite); err != nil {
		return err
	}
	return record(i.tx, i.scope, i.operation, Target{"invite", string(invite.ID), invite.Email}, nil, inviteFacts(invite, i.roles))
}

// merge adds workspaces to an open invite and replaces its roles (R22).
func (i *inviting) merge(row inviteRow) Invite {
	invite := i.fresh(row)
	if earlier, ok := i.pending[row.key]; ok {
		invite.ID, invite.CreatedAt = earlier.ID, earlier.CreatedAt
		invite.Workspaces = unique(slices.Concat(earlier.Workspaces, row.Workspaces))
	}
	return invite
}

func (i *inviting) fresh(row inviteRow) Invite {
	invite := Invite{
		ID: newID[InviteID](i.tx.Now()), Email: row.Email, Role: row.Role, Workspaces: row.Workspaces, WorkspaceRole: row.WorkspaceRole,
		InvitedBy: i.scope.actor.Name, CreatedAt: i.tx.Now(),
	}
	if i.policy.InviteExpiry > 0 {
		invite.ExpiresAt = i.tx.Now().Add(i.policy.InviteExpiry)
	}
	return invite
}

// mayGive is R4: an Operator gives User and Viewer only.
func mayGive(scope OrgScope, role RoleID) error {
	if scope.role == RoleOrgAdmin || orgPower(role) <= orgPower(RoleOrgUser) {
		return nil
	}
	return Errorf(Forbidden, "only an Organization Admin may give the role %s", RoleName(role))
}

func livingWorkspaces(org OrgTx, field string, ids []WorkspaceID) error {
	for _, id := range ids {
		workspace, err := org.Workspaces().Get(id)
		if IsKind(err, NotFound) || err == nil && workspace.Deleted() {
			return Invalidf(field, "there is no workspace %q in this organization", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Invites lists the pending members.
func (s *Service) Invites(ctx context.Context, scope OrgScope, query MemberQuery) ([]Invite, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	invites := []Invite{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Invites().List(query)
		invites = append(invites[:0], found...)
		return err
	})
	return invites, err
}

// WithdrawInvite ends a pending invite, so that it lets nobody in (R23).
func (s *Service) WithdrawInvite(ctx context.Context, scope OrgScope, id InviteID) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		invite, err := inviteByID(org, id)
		if err != nil {
			return err
		}
		if err := mayGive(scope, invite.Role); err != nil {
			return err
		}
		return endInvite(tx, org, scope, invite, "delete_org_pending_member")
	})
}

func inviteByID(org OrgTx, id InviteID) (Invite, error) {
	if !ValidID(id) {
		return Invite{}, unknownResource("pending member", string(id))
	}
	invite, err := org.Invites().Get(id)
	return invite, renameNotFound(err, "pending member", string(id))
}

// endInvite removes an invite and records who did so.
func endInvite(tx Tx, org OrgTx, scope OrgScope, invite Invite, operation string) error {
	if err := org.Invites().Delete(invite.ID); err != nil {
		return err
	}
	roles, err := rolesNamed(org, invite.roles()...)
	if err != nil {
		return err
	}
	return record(tx, scope, operation, Target{"invite", string(invite.ID), invite.Email}, inviteFacts(invite, roles), nil)
}

// roles are the workspace roles that the invite gives.
func (i Invite) roles() []RoleID {
	return append(slices.Collect(maps.Values(i.OwnRoles)), i.WorkspaceRole)
}

func inviteFacts(i Invite, roles Roles) map[string]any {
	facts := map[string]any{
		"email": i.Email, "org_role": RoleName(i.Role), "workspace_role": roles.Name(i.WorkspaceRole), "workspaces": i.Workspaces,
	}
	for _, id := range slices.Sorted(maps.Keys(i.OwnRoles)) {
		facts["role_in_"+string(id)] = roles.Name(i.OwnRoles[id])
	}
	return facts
}

// InvitePreview is what inviting one address would do.
type InvitePreview struct {
	InviteRequest
	// Problem says why the row would be refused; empty when it would not.
	Problem string
	// Earlier is the open invite that would be added to, and Member the disabled member who would come back.
	Earlier *Invite
	Member  *MemberView
}

// PreviewInvites says what InviteAll would do with each row; nothing was changed.
func (s *Service) PreviewInvites(ctx context.Context, scope OrgScope, requests []InviteRequest) ([]InvitePreview, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return nil, err
	}
	var previews []InvitePreview
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		i := inviting{Service: s, tx: tx, org: org, scope: scope}
		if err := i.prepare(requests); err != nil {
			return err
		}
		if err := i.mayInvite(); err != nil {
			return err
		}
		previews = make([]InvitePreview, len(i.rows))
		for row := range i.rows {
			i.problems.add(row, i.checkRow(&i.rows[row]))
			previews[row] = i.preview(i.rows[row])
		}
		for _, problem := range i.problems.found {
			previews[problem.Row].Problem = problem.Text
		}
		return i.problems.failed
	})
	return previews, err
}

func (i *inviting) preview(row inviteRow) InvitePreview {
	preview := InvitePreview{InviteRequest: row.InviteRequest}
	if earlier, ok := i.pending[row.key]; ok {
		preview.Earlier = &earlier
	}
	if member, ok := i.members[row.key]; ok && member.Status == Disabled {
		preview.Member = &member
	}
	return preview
}
