package domain

import (
	"context"
	"fmt"
	"time"
)

// staleBackup is the age at which a backup is worth a warning.
const staleBackup = 48 * time.Hour

// RecordBackup remembers, and puts into the default organization's audit log, that everything was copied out of the database.
func (s *Service) RecordBackup(ctx context.Context, at time.Time, place string) error {
	return s.recordInstallation(ctx, "create_backup", map[string]any{"place": place}, func(store InstallationStore) error {
		return store.SetBackupAt(at)
	})
}

// RecordRestore puts into the default organization's audit log that the rows before this one come from a backup.
func (s *Service) RecordRestore(ctx context.Context, place string) error {
	return s.recordInstallation(ctx, "restore_backup", map[string]any{"place": place}, nil)
}

func (s *Service) recordInstallation(ctx context.Context, operation string, facts map[string]any, change func(InstallationStore) error) error {
	return s.store.Write(ctx, func(tx Tx) error {
		store := tx.System(systemScope()).Installation()
		installation, err := store.Get()
		if err != nil {
			return err
		}
		if change != nil {
			if err := change(store); err != nil {
				return err
			}
		}
		return record(tx, within(installation.DefaultOrg, commandLine()), operation, Target{Kind: "installation", Name: "installation"}, nil, facts)
	})
}

// BackupAt is when the command line last made a backup; zero for never.
func (s *Service) BackupAt(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := s.store.Read(ctx, func(tx Tx) error {
		installation, err := tx.System(systemScope()).Installation().Get()
		at = installation.BackupAt
		return err
	})
	return at, err
}

// ExamineBackup reports how old the last backup is at a time.
func (s *Service) ExamineBackup(ctx context.Context, now time.Time) (Finding, error) {
	at, err := s.BackupAt(ctx)
	if err != nil {
		return Finding{}, err
	}
	switch age := now.Sub(at); {
	case at.IsZero():
		return Finding{"backup", FindingWarning, "\"muster backup\" has never made one; docs/backup.md has the ways, PostgreSQL's own among them"}, nil
	case age > staleBackup:
		return Finding{"backup", FindingWarning, fmt.Sprintf("the last one is %d days old (%s); \"muster backup\" makes one while the server runs", int(age.Hours()/24), at.Format(time.RFC3339))}, nil
	default:
		return Finding{"backup", FindingOK, "the last one was made at " + at.Format(time.RFC3339)}, nil
	}
}
