package web

import (
	"context"
	"time"

	"muster/domain"
)

// Operator is what the Health page shows of the installation.
type Operator interface {
	// Version is the server's number and the commit it was built from.
	Version() (number, commit string)
	// Findings are the configuration, the database and what else the server stands on; it must not take long.
	Findings(ctx context.Context) []domain.Finding
}

// healthPage is what is well and what is not.
type healthPage struct {
	common

	Version, Commit string
	// Installation is empty for Admins of other organizations than the default one.
	Installation []domain.Finding
	Organization []domain.Finding
	Providers    []domain.ProviderStatus
	MailOn       bool
	Mail         []domain.Mail
	Hooks        []domain.HookView
	// Held is how many requests the deprovisioning guard holds back.
	Held   int
	Tokens []domain.SCIMToken
	// Unwell is how many findings are not well.
	Unwell int
}

// soon is how near a token's end has to be to be mentioned.
const soon = 14 * 24 * time.Hour

// maxWaiting is how much waiting mail the page lists.
const maxWaiting = 20

func (v *visit) health() error {
	page := healthPage{common: v.common(), MailOn: v.Rules.Policy().MailEnabled}
	if !page.Admin {
		return domain.Errorf(domain.Forbidden, "only an Organization Admin sees this page")
	}
	page.Version, page.Commit = v.config.Operator.Version()
	var err error
	if page.Organization, err = v.Rules.ExamineOrg(v.ctx(), v.scope); err != nil {
		return err
	}
	if v.org.Default {
		// How the installation is run is the concern of those who run its first organization.
		page.Installation = v.config.Operator.Findings(v.ctx())
		page.Providers = v.config.Providers.List()
	}
	if page.Mail, err = v.Rules.WaitingMail(v.ctx(), v.scope, maxWaiting); err != nil {
		return err
	}
	if page.Hooks, err = v.Rules.EventHooks(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Held, err = v.Rules.GuardHolds(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Tokens, err = v.Rules.SCIMTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	page.Organization = append(page.Organization, v.tokenFindings(page.Tokens)...)
	page.Organization = append(page.Organization, mailFindings(page)...)
	page.Organization = append(page.Organization, hookFindings(page)...)
	if page.Held > 0 {
		page.Organization = append(page.Organization, domain.Finding{Check: "guard", Level: domain.FindingWarning, Detail: "the deprovisioning guard holds " + counted(page.Held, "request") + " back; release or refuse them under Provisioning"})
	}
	for _, findings := range [][]domain.Finding{page.Installation, page.Organization} {
		for _, finding := range findings {
			page.Unwell += boolInt(finding.Level != domain.FindingOK)
		}
	}
	for _, provider := range page.Providers {
		page.Unwell += boolInt(!provider.Ready)
	}
	return v.render("health", "Health", "/health", page)
}

// tokenFindings warns of SCIM tokens that end soon.
func (v *visit) tokenFindings(tokens []domain.SCIMToken) []domain.Finding {
	var findings []domain.Finding
	for _, token := range tokens {
		switch left := token.ExpiresAt.Sub(v.now()); {
		case token.ExpiresAt.IsZero():
		case left <= 0:
			findings = append(findings, domain.Finding{Check: "SCIM token", Level: domain.FindingFailed, Detail: "“" + token.Description + "” has expired; rotate it under Provisioning and enter the new one at the identity provider"})
		case left < soon:
			findings = append(findings, domain.Finding{Check: "SCIM token", Level: domain.FindingWarning, Detail: "“" + token.Description + "” expires on " + token.ExpiresAt.UTC().Format("2 January 2006") + "; rotate it under Provisioning"})
		}
	}
	return findings
}

func mailFindings(page healthPage) []domain.Finding {
	if !page.MailOn {
		return []domain.Finding{{Check: "mail", Level: domain.FindingOK, Detail: "not configured: links of invites are handed over by hand; SMTP_URL and SMTP_FROM switch it on"}}
	}
	tried := 0
	for _, mail := range page.Mail {
		tried += boolInt(mail.Attempts > 0 || mail.Dead)
	}
	if tried > 0 {
		return []domain.Finding{{Check: "mail", Level: domain.FindingWarning, Detail: counted(tried, "mail") + " could not be sent; the reasons are below"}}
	}
	return []domain.Finding{{Check: "mail", Level: domain.FindingOK, Detail: "configured, and nothing is stuck"}}
}

func hookFindings(page healthPage) []domain.Finding {
	var findings []domain.Finding
	for _, hook := range page.Hooks {
		switch {
		case hook.Dead > 0:
			findings = append(findings, domain.Finding{Check: "event hook", Level: domain.FindingWarning, Detail: counted(hook.Dead, "event") + " for " + hook.URL + " were given up; look at them under Event hooks"})
		case hook.Attempts > 0:
			findings = append(findings, domain.Finding{Check: "event hook", Level: domain.FindingWarning, Detail: hook.URL + " does not take events: " + hook.LastError})
		}
	}
	return findings
}
