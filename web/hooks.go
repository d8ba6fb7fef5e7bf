package web

import (
	"net/url"
	"slices"
	"time"

	"muster/domain"
)

// hooksPage is where the organization's events go.
type hooksPage struct {
	common

	Hooks []hookRow
	Types []option
	Made  *madeSecret
	// Tried is the hook that was just tested, with what came of it.
	Tried  domain.HookID
	Failed string
}

type hookRow struct {
	domain.HookView

	Letters []domain.DeadLetter
}

// maxLetters is how many given-up events a hook shows.
const maxLetters = 10

func (v *visit) hooks() error { return v.showHooks(hooksPage{}) }

func (v *visit) showHooks(page hooksPage) error {
	page.common = v.common()
	if !page.Manage {
		return domain.Errorf(domain.Forbidden, "only those who manage the organization see where its events go")
	}
	found, err := v.Rules.EventHooks(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	for _, hook := range found {
		row := hookRow{HookView: hook}
		if hook.Dead > 0 {
			if row.Letters, err = v.Rules.DeadLetters(v.ctx(), v.scope, hook.EventHook.ID); err != nil {
				return err
			}
			row.Letters = row.Letters[:min(len(row.Letters), maxLetters)]
		}
		page.Hooks = append(page.Hooks, row)
	}
	for _, kind := range slices.Compact(domain.EventTypes()) {
		page.Types = append(page.Types, option{Value: kind, Label: kind})
	}
	return v.render("hooks", "Event hooks", "/hooks", page)
}

func (v *visit) hookID() domain.HookID { return domain.HookID(v.r.PathValue("hook")) }

func (v *visit) createHook() error {
	address, description, types := v.value("url"), v.value("description"), checked[string](v, "types")
	hook, secret, err := v.Rules.CreateEventHook(v.ctx(), v.scope, domain.HookChange{URL: &address, Description: &description, Types: &types})
	if err != nil {
		return v.retry("hook", err, (*visit).hooks)
	}
	return v.showHooks(hooksPage{Made: &madeSecret{Name: hook.URL, Secret: string(secret), ID: string(hook.EventHook.ID)}})
}

func (v *visit) switchHook() error {
	enabled := v.value("enabled") == "true"
	if _, err := v.Rules.UpdateEventHook(v.ctx(), v.scope, v.hookID(), domain.HookChange{Enabled: &enabled}); err != nil {
		return v.retry("hook", err, (*visit).hooks)
	}
	return v.finish(v.at("/hooks"), "saved")
}

func (v *visit) rotateHook() error {
	hook, secret, err := v.Rules.RotateEventHookSecret(v.ctx(), v.scope, v.hookID())
	if err != nil {
		return v.retry("hook", err, (*visit).hooks)
	}
	return v.showHooks(hooksPage{Made: &madeSecret{Name: hook.URL, Secret: string(secret), ID: string(hook.EventHook.ID), Replaces: "the old secret, which signs beside it for a day"}})
}

// testHook sends an event of the type "test".
func (v *visit) testHook() error {
	hook, err := v.Rules.Hook(v.ctx(), v.scope, v.hookID())
	if err != nil {
		return err
	}
	id, body := domain.TestEvent(v.org.ID, time.Now())
	page := hooksPage{Tried: hook.ID}
	if err := v.config.Events.SendBody(v.ctx(), hook, id, body); err != nil {
		page.Failed = err.Error()
	}
	return v.showHooks(page)
}

// redeliver sends a given-up event again; it is forgotten when it arrives.
func (v *visit) redeliver() error {
	hook, err := v.Rules.Hook(v.ctx(), v.scope, v.hookID())
	if err != nil {
		return err
	}
	letters, err := v.Rules.DeadLetters(v.ctx(), v.scope, hook.ID)
	if err != nil {
		return err
	}
	for _, letter := range letters {
		if string(letter.Event) != v.value("event_id") {
			continue
		}
		if err := v.config.Events.SendBody(v.ctx(), hook, string(letter.Event), []byte(letter.Body)); err != nil {
			return v.showHooks(hooksPage{Tried: hook.ID, Failed: err.Error()})
		}
		if err := v.Rules.Unbury(v.ctx(), v.scope, letter); err != nil {
			return err
		}
		return v.finish(v.at("/hooks"), "sent")
	}
	return domain.Errorf(domain.NotFound, "there is no such event; it was delivered meanwhile, or the hook was deleted")
}

func (v *visit) askDeleteHook() error {
	hook, err := v.Rules.Hook(v.ctx(), v.scope, v.hookID())
	if err != nil {
		return err
	}
	return v.confirm("/hooks", confirmation{
		Title: "Send no more events to " + hook.URL + "?", Effects: []string{"Events that wait or were given up are forgotten with it.", "This cannot be taken back; a new hook begins with what happens from then on."},
		Action: v.at("/hooks/" + url.PathEscape(string(hook.ID)) + "/delete"), Button: "Delete the hook", Back: v.at("/hooks"),
	})
}

func (v *visit) deleteHook() error {
	if _, err := v.Rules.DeleteEventHook(v.ctx(), v.scope, v.hookID()); err != nil {
		return v.retry("hook", err, (*visit).hooks)
	}
	return v.finish(v.at("/hooks"), "deleted")
}
