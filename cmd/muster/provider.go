package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"muster/cmd/internal/server"
	"muster/domain"
)

type providerCommands struct {
	List    providerListCommand    `cmd:"" help:"Print the configured providers' ids, names and issuers, and which are disabled."`
	Disable providerDisableCommand `cmd:"" help:"Let nobody sign in through a provider any more, and end the sessions that it began, at once and in every server process."`
	Enable  providerEnableCommand  `cmd:"" help:"Let people sign in through a disabled provider again."`
}

type providerListCommand struct{}

// Run prints one provider a line.
func (providerListCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return server.WithService(env, cfg, func(service *domain.Service) error {
		disabled, err := service.DisabledProviders(env)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
		for _, provider := range cfg.Providers {
			state := "enabled"
			if at, off := disabled[provider.ID]; off {
				state = "disabled since " + at.UTC().Format(time.RFC3339)
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", provider.ID, state, provider.DisplayName, provider.IssuerURL)
		}
		return table.Flush()
	})
}

type providerDisableCommand struct {
	ID string `arg:"" help:"The provider's id, as \"muster provider list\" prints it."`
}

// Run disables the provider; the configuration stays as it is.
func (c providerDisableCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		ended, err := service.DisableProvider(env, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.stdout, "%s is disabled: nobody signs in through it; ended %d sessions\n", c.ID, ended)
		return err
	})
}

type providerEnableCommand struct {
	ID string `arg:"" help:"The provider's id."`
}

// Run enables the provider again.
func (c providerEnableCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		if err := service.EnableProvider(env, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.stdout, "%s is enabled\n", c.ID)
		return err
	})
}
