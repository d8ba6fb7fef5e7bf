package main

import (
	"encoding/json"
	"fmt"

	"muster/admin"
	"muster/domain"
)

type auditCommands struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that no row of the audit log was changed, removed or put in."`
	Export auditExportCommand `cmd:"" help:"Print the audit log as JSON lines, the oldest first."`
}

type auditVerifyCommand struct {
	Org string `help:"Name or id of the organization; all without it." placeholder:"NAME"`
}

// Run checks the chains and prints a line for each; a damaged one is an error.
func (c auditVerifyCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		only := domain.OrgID("")
		if c.Org != "" {
			scope, err := service.CommandLine(env, c.Org)
			if err != nil {
				return err
			}
			only = scope.Org()
		}
		reports, err := service.VerifyAudit(env, only)
		if err != nil {
			return err
		}
		damaged := 0
		for _, report := range reports {
			text := "in order"
			if report.Damage != "" {
				text = fmt.Sprintf("DAMAGED at row %d: %s", report.At, report.Damage)
				damaged++
			}
			if _, err := fmt.Fprintf(env.stdout, "%s  %d rows  %s  %s\n", report.Org, report.Rows, text, report.OrgName); err != nil {
				return err
			}
		}
		if damaged > 0 {
			return domain.Errorf(domain.Conflict, "the audit log of %d organizations is not as it was written", damaged)
		}
		return nil
	})
}

type auditExportCommand struct {
	Org   string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
	After int64  `help:"Begin behind the row with this sequence number; the last line of an earlier export has it." placeholder:"N"`
}

// Run prints what has its place in the chain.
func (c auditExportCommand) Run(env environment) error {
	const step = 500
	return env.withService(func(service *domain.Service) error {
		scope, err := service.CommandLine(env, c.Org)
		if err != nil {
			return err
		}
		if _, err := service.SequenceAudit(env); err != nil {
			return err
		}
		lines := json.NewEncoder(env.stdout)
		for after := c.After; ; {
			rows, err := service.AuditFrom(env, scope, after, step)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, row := range rows {
				if err := lines.Encode(admin.AuditOf(scope.Org(), row)); err != nil {
					return err
				}
				after = row.Seq
			}
		}
	})
}
