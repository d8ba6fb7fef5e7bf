package web

import (
	"net/url"
	"time"

	"muster/domain"
)

// guardPage is the guard against mass deprovisioning (R39).
type guardPage struct {
	common

	Guard domain.GuardView
	Seen  domain.Seen
	Hours int
}

func (v *visit) guard() error {
	page := guardPage{common: v.common()}
	var err error
	if page.Guard, err = v.Rules.Guard(v.ctx(), v.scope); err != nil {
		return err
	}
	page.Seen = v.face(page.Guard.Face(), "guard")
	return v.render("guard", "Deprovisioning guard", "/provisioning/guard", page)
}

func (v *visit) saveGuard() error {
	var numbers [3]int
	for i, name := range []string{"max_people", "max_percent", "window_minutes"} {
		n, err := v.number(name, "this")
		if err != nil {
			return v.retry("guard", err, (*visit).guard)
		}
		if n == nil {
			return v.retry("guard", domain.Invalidf(name, "enter a number"), (*visit).guard)
		}
		numbers[i] = *n
	}
	_, err := v.seen().SetGuard(v.ctx(), v.scope, func(g *domain.Guard) {
		g.Enabled = v.value("enabled") == "true"
		g.MaxPeople, g.MaxPercent, g.Window = numbers[0], numbers[1], time.Duration(numbers[2])*time.Minute
	})
	if err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "saved")
}

func (v *visit) askRelease() error {
	guard, err := v.Rules.Guard(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	return v.confirm("/provisioning/guard", confirmation{
		Title: "Release what the guard holds back?",
		Effects: []string{
			counted(guard.HeldCount, "request") + " to disable or remove people pass at the identity provider’s next try.",
			"For " + guard.Window.String() + " everything else passes too, however many people it concerns.",
			"Check at the identity provider first that this is what somebody wanted.",
		},
		Action: v.at("/provisioning/guard/release"), Button: "Release", Back: v.at("/provisioning/guard"),
		Fields: url.Values{"seen": {string(domain.SeenOf(guard.Face()))}},
	})
}

func (v *visit) release() error {
	if _, err := v.seen().ReleaseGuard(v.ctx(), v.scope); err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "released")
}

func (v *visit) refuseHeld() error {
	if _, err := v.seen().RefuseGuard(v.ctx(), v.scope); err != nil {
		return v.retry("guard", err, (*visit).guard)
	}
	return v.finish(v.at("/provisioning/guard"), "refused")
}
