package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"muster/cmd/internal/server"
	"muster/domain"
)

type doctorCommand struct{}

// errUnwell ends the command with a failure after its report.
var errUnwell = errors.New("something is not well; the lines above that begin with \"failed\" say what")

// Run prints one line for each check, and fails when one of them did.
func (doctorCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	unwell := false
	report := func(where string, findings []domain.Finding) {
		for _, finding := range findings {
			unwell = unwell || finding.Level == domain.FindingFailed
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", finding.Level, where, finding.Check, finding.Detail)
		}
	}
	report("server", server.Examine(env, cfg, env.file))
	if err := server.TestProviders(env, cfg, report); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if unwell {
		return errUnwell
	}
	return nil
}
