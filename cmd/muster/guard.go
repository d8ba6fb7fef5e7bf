package main

import (
	"fmt"
	"strings"

	"muster/domain"
)

type guardCommands struct {
	Show    guardShowCommand    `cmd:"" help:"Say what the guard has counted and holds back."`
	Release guardReleaseCommand `cmd:"" help:"Let pass what the guard holds back, and everything else for one window."`
	Refuse  guardRefuseCommand  `cmd:"" help:"Refuse what the guard holds back, and everything else for one window."`
}

type guardShowCommand struct {
	Org string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run prints the guard's state.
func (c guardShowCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		return guardWords(service.Guard(env, scope))
	})
}

func guardWords(g domain.GuardView, err error) (string, error) {
	if err != nil || !g.Enabled {
		return "the guard is off", err
	}
	lines := []string{fmt.Sprintf("%s: %d of %d people have lost access within %s, %d requests are held back", g.State, g.Spent, g.Limit, g.Window, g.HeldCount)}
	for _, held := range g.Held {
		lines = append(lines, fmt.Sprintf("  %s %s %s, tried %d times", held.Operation, held.Target.ID, held.Target.Name, held.Requests))
	}
	return strings.Join(lines, "\n"), nil
}

type guardReleaseCommand struct{ guardShowCommand }

// Run releases.
func (c guardReleaseCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		return guardWords(service.ReleaseGuard(env, scope))
	})
}

type guardRefuseCommand struct{ guardShowCommand }

// Run refuses.
func (c guardRefuseCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		return guardWords(service.RefuseGuard(env, scope))
	})
}
