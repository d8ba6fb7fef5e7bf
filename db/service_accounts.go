package db

import "muster/domain"

type accountStore struct{ handle }

type accountRow struct {
	ID               domain.AccountID   `db:"id"`
	Name             string             `db:"name"`
	Workspaces       string             `db:"workspaces"`
	DefaultWorkspace domain.WorkspaceID `db:"default_workspace"`
	CreatedAt        int64              `db:"created_at"`
	UpdatedAt        int64              `db:"updated_at"`
}

const accountColumns = "id, name, workspaces, default_workspace, created_at, updated_at"

func (r accountRow) account() (domain.ServiceAccount, error) {
	account := domain.ServiceAccount{
		ID: r.ID, Name: r.Name, DefaultWorkspace: r.DefaultWorkspace, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
	return account, decode(r.Workspaces, &account.Workspaces)
}

// Get implements domain.AccountStore.
func (s accountStore) Get(id domain.AccountID) (domain.ServiceAccount, error) {
	var row accountRow
	if err := s.get("service account", &row, "SELECT "+accountColumns+" FROM service_accounts WHERE org_id = ? AND id = ?", s.org, id); err != nil {
		return domain.ServiceAccount{}, err
	}
	return row.account()
}

// List implements domain.AccountStore.
func (s accountStore) List() ([]domain.ServiceAccount, error) {
	var rows []accountRow
	if err := s.all(&rows, "SELECT "+accountColumns+" FROM service_accounts WHERE org_id = ? ORDER BY name_key", s.org); err != nil {
		return nil, err
	}
	return convert(rows, accountRow.account)
}

// Insert implements domain.AccountStore.
func (s accountStore) Insert(a domain.ServiceAccount) error {
	nameKey, err := key("name", a.Name)
	if err != nil {
		return err
	}
	workspaces, err := encode(a.Workspaces)
	if err != nil {
		return err
	}
	created, err := s.insert("INSERT INTO service_accounts (org_id, name_key, "+accountColumns+") VALUES ("+places(8)+")",
		s.org, nameKey, a.ID, a.Name, workspaces, a.DefaultWorkspace, micros(a.CreatedAt), micros(a.UpdatedAt))
	if err == nil && !created {
		return taken("name")
	}
	return err
}

// Delete implements domain.AccountStore.
func (s accountStore) Delete(id domain.AccountID) error {
	return s.must("service account", "DELETE FROM service_accounts WHERE org_id = ? AND id = ?", s.org, id)
}
