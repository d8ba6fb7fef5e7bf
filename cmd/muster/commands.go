package main

import (
	"fmt"
	"text/tabwriter"

	"muster/cmd/internal/server"
	"muster/domain"
)

type serveCommand struct{}

// Run serves until it is told to stop.
func (serveCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return server.Run(env, cfg, server.Options{Log: server.NewLogger(cfg)})
}

type migrateCommand struct{}

// Run brings the schema up to date; running it again changes nothing.
func (migrateCommand) Run(env environment) error {
	return env.withService(func(*domain.Service) error {
		_, err := fmt.Fprintln(env.stdout, "the schema is up to date")
		return err
	})
}

type showCommand struct{}

// Run prints every setting with its origin, secrets masked.
func (showCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	for _, line := range cfg.Lines() {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", line.Key, line.Value, line.Source)
	}
	return table.Flush()
}

type versionCommand struct{}

// Run prints the version and the commit it was built from.
func (versionCommand) Run(env environment) error {
	version, commit := server.Version()
	_, err := fmt.Fprintf(env.stdout, "muster %s (%s)\n", version, commit)
	return err
}

type tokenCommands struct {
	Create tokenCreateCommand `cmd:"" help:"Make a SCIM token and print it, alone, on standard output."`
}

type tokenCreateCommand struct {
	Org         string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
	Description string `help:"What the token is for." default:"made on the command line" placeholder:"TEXT"`
	Profile     string `help:"How strictly the client is read: auto, okta, entra, lenient or strict." default:"auto" enum:"auto,okta,entra,lenient,strict"`
}

// Run makes the token; it is shown this once.
func (c tokenCreateCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		_, secret, err := service.CreateSCIMToken(env, scope, domain.NewSCIMToken{Description: c.Description, Profile: domain.SCIMProfile(c.Profile)})
		return string(secret), err
	})
}

type keyCommands struct {
	Create keyCreateCommand `cmd:"" help:"Make a personal access token and print it, alone, on standard output."`
}

type keyCreateCommand struct {
	Email       string `required:"" help:"Whose token it is; the person is made a member where needed." placeholder:"ADDRESS"`
	Org         string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
	Admin       bool   `help:"Make the person an Organization Admin too."`
	Description string `help:"What the token is for." default:"made on the command line" placeholder:"TEXT"`
}

// Run makes the person and the token.
func (c keyCreateCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		_, secret, err := service.CreatePersonalTokenFor(env, scope, c.Email, c.Admin, c.Description)
		return string(secret), err
	})
}

type adminCommands struct {
	Add       adminAddCommand       `cmd:"" help:"Make somebody an Organization Admin, for when nobody else can."`
	SetUpLink adminSetUpLinkCommand `cmd:"" name:"set-up-link" help:"Print the link by which the first person who signs in becomes Organization Admin."`
}

type adminSetUpLinkCommand struct{}

// Run prints the link while there is no Admin.
func (adminSetUpLinkCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return server.WithService(env, cfg, func(service *domain.Service) error {
		link, err := server.SetUpLink(env, cfg, service)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.stdout, link)
		return err
	})
}

type adminAddCommand struct {
	Address string `arg:"" help:"E-mail address of the person."`
	Org     string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run makes the person an active Organization Admin.
func (c adminAddCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		_, err := service.AddAdmin(env, scope, c.Address)
		return c.Address + " is an Organization Admin", err
	})
}

type orgCommands struct {
	List   orgListCommand   `cmd:"" help:"Print the organizations' ids and names."`
	Create orgCreateCommand `cmd:"" help:"Make an organization and print its id, alone, on standard output."`
}

type orgListCommand struct{}

// Run prints one organization a line.
func (orgListCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		orgs, err := service.AllOrganizations(env)
		for _, org := range orgs {
			_, _ = fmt.Fprintf(env.stdout, "%s\t%s\n", org.ID, org.DisplayName)
		}
		return err
	})
}

type orgCreateCommand struct {
	Name  string `arg:"" help:"Display name."`
	Admin string `help:"E-mail address of its first Organization Admin." placeholder:"ADDRESS"`
}

// Run makes the organization and, when asked, its first Admin.
func (c orgCreateCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		id, err := service.CreateOrganizationByHand(env, c.Name)
		if err != nil {
			return err
		}
		if c.Admin != "" {
			scope, err := service.CommandLine(env, string(id))
			if err != nil {
				return err
			}
			if _, err := service.AddAdmin(env, scope, c.Admin); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintln(env.stdout, string(id))
		return err
	})
}

// withScope runs fn for an organization and prints what it returns, alone, on standard output.
func (env environment) withScope(org string, fn func(*domain.Service, domain.OrgScope) (string, error)) error {
	return env.withService(func(service *domain.Service) error {
		scope, err := service.CommandLine(env, org)
		if err != nil {
			return err
		}
		line, err := fn(service, scope)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.stdout, line)
		return err
	})
}

// withService runs fn on the configured database, brought up to date; a server may be running on it.
func (env environment) withService(fn func(*domain.Service) error) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return server.WithService(env, cfg, fn)
}
