package main

import (
	"fmt"

	"muster/domain"
)

type sessionCommands struct {
	End sessionEndCommand `cmd:"" help:"Sign people out at once: one person, everybody of a provider, or all members of an organization."`
}

type sessionEndCommand struct {
	Email    string `help:"Only this person's sessions." placeholder:"ADDRESS"`
	Provider string `help:"Only the sessions of this identity provider." placeholder:"ID"`
	Org      string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
	All      bool   `help:"All members of the organization, when neither --email nor --provider is given."`
	// Everywhere is for the case that the installation itself is in doubt.
	Everywhere bool `help:"Everybody in the installation, in all organizations."`
}

// Run ends the sessions and says how many there were.
func (c sessionEndCommand) Run(env environment) error {
	if c.Everywhere {
		return c.everywhere(env)
	}
	if c.Email == "" && c.Provider == "" && !c.All {
		return domain.Invalidf("", "say whose sessions end: --email ADDRESS, --provider ID, --all or --everywhere")
	}
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		ended, err := service.EndSessionsByHand(env, scope, c.Email, c.Provider)
		return fmt.Sprintf("ended %d sessions", ended), err
	})
}

func (c sessionEndCommand) everywhere(env environment) error {
	if c.Email != "" || c.Provider != "" || c.Org != "" || c.All {
		return domain.Invalidf("", "--everywhere ends all sessions of the installation and stands alone")
	}
	return env.withService(func(service *domain.Service) error {
		ended, err := service.EndAllSessions(env)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.stdout, "ended %d sessions\n", ended)
		return err
	})
}

type resealCommand struct{}

// Run seals what the database holds of providers' tokens with the first key.
func (resealCommand) Run(env environment) error {
	return env.withService(func(service *domain.Service) error {
		changed, err := service.Reseal(env)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.stdout, "sealed the tokens of %d sessions anew\n", changed)
		return err
	})
}
