package main

import (
	"fmt"
	"strings"

	"muster/domain"
)

type explainCommand struct {
	Email string `arg:"" help:"Their e-mail address."`
	Org   string `help:"Name or id of the organization; the default organization without it." placeholder:"NAME"`
}

// Run prints every role with its reason and the grants that do not count (R37).
func (c explainCommand) Run(env environment) error {
	return env.withScope(c.Org, func(service *domain.Service, scope domain.OrgScope) (string, error) {
		found, err := service.Members(env, scope, domain.MemberQuery{Emails: []string{c.Email}})
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return c.uninvited(env, service, scope)
		}
		explanation, err := service.Explain(env, scope, found[0].ID)
		if err != nil {
			return "", err
		}
		state := ""
		if found[0].Status == domain.Disabled {
			state = " — disabled: none of this counts until they are enabled again"
		}
		lines := []string{found[0].Email + state, line("organization", explanation.Org)}
		for _, why := range explanation.Workspaces {
			lines = append(lines, line(why.Name, why))
		}
		return strings.Join(lines, "\n"), nil
	})
}

// uninvited says what is known about somebody who is no member.
func (c explainCommand) uninvited(env environment, service *domain.Service, scope domain.OrgScope) (string, error) {
	invites, err := service.Invites(env, scope, domain.MemberQuery{Emails: []string{c.Email}})
	if err != nil {
		return "", err
	}
	if len(invites) == 0 {
		return "", domain.Errorf(domain.NotFound, "%s is neither a member of this organization nor invited", c.Email)
	}
	return fmt.Sprintf("%s is invited as %s by %s and has not joined yet", invites[0].Email, domain.RoleName(invites[0].Role), invites[0].InvitedBy), nil
}

func line(where string, why domain.Why) string {
	text := fmt.Sprintf("  %s: %s — %s", where, why.RoleName(), grantWords(why.Grant))
	if why.Implied {
		text = fmt.Sprintf("  %s: %s — because they are Organization Admin", where, why.RoleName())
	}
	for _, lost := range why.Lost {
		text += fmt.Sprintf("\n      without effect: %s — %s: %s", lost.RoleName(), grantWords(lost.Grant), lost.Why)
	}
	return text
}

func grantWords(g domain.Grant) string {
	text := string(g.Kind)
	if g.SourceName != "" {
		text += " “" + g.SourceName + "”"
	}
	if !g.At.IsZero() {
		text += ", " + g.At.UTC().Format("2006-01-02 15:04 UTC")
	}
	return text
}
