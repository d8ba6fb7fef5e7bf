package web

import (
	"net/http"

	"muster/domain"
)

// Refused shows why a sign-in was refused, and what the person can do about it.
func (w *Web) Refused(rw http.ResponseWriter, r *http.Request, refusal *domain.Refusal) {
	status, page := refusalPage(refusal.Reason)
	page.Email = refusal.Email
	page.Links = []way{{"Sign in again", "/sign-in"}}
	if refusal.Reason == domain.ReasonFlowLost {
		page.Links[0].Name = "Start again"
	}
	if page.Person {
		page.Links = append(page.Links, way{"Use another account", "/sign-in?another"})
	}
	if status == http.StatusServiceUnavailable {
		rw.Header().Set("Retry-After", "5")
	}
	w.problem(rw, r, status, page)
}

// refusalPage has an entry for every reason.
func refusalPage(reason domain.Reason) (int, problem) {
	switch reason {
	case domain.ReasonNotInvited:
		return http.StatusForbidden, problem{Person: true, What: "You are not invited yet", Why: "The identity provider knows you, but nobody has invited your address here, and joining without an invite is switched off.", Next: "Ask an administrator of your organization to invite this address, then sign in again."}
	case domain.ReasonDisabled:
		return http.StatusForbidden, problem{Person: true, What: "Your access is disabled", Why: "An administrator, or your organization’s identity provider, has disabled your membership.", Next: "Ask an administrator to enable it again, then sign in again."}
	case domain.ReasonDeprovisioned:
		return http.StatusForbidden, problem{Person: true, What: "Your access has ended", Why: "Your organization’s identity provider has removed you from this application, so signing in does not bring you back.", Next: "Ask to be assigned to this application again at the identity provider, or ask an administrator for an invite."}
	case domain.ReasonEmailMissing:
		return http.StatusForbidden, problem{Person: true, What: "Your e-mail address is missing", Why: "The identity provider did not say which e-mail address you have, and without one nobody can be recognized here.", Next: "Add an address to your account at the identity provider. If there is one already, ask an administrator to let the provider send the “email” claim to this application."}
	case domain.ReasonEmailUnverified:
		return http.StatusForbidden, problem{Person: true, What: "Your e-mail address is not verified", Why: "The identity provider does not say that this address is really yours, so it cannot be used to recognize you.", Next: "Verify the address at the identity provider, then sign in again. If it is verified there, ask an administrator to let the provider send the “email_verified” claim."}
	case domain.ReasonEmailTaken:
		return http.StatusForbidden, problem{Person: true, What: "This address belongs to another account", Why: "Somebody here has this address already, and signs in with another account or through another provider.", Next: "Sign in with the account that you used before. If that is gone, ask an administrator."}
	case domain.ReasonUnreachable:
		return http.StatusServiceUnavailable, problem{What: "The identity provider does not answer", Why: "Nobody can sign in while it is away. Whoever is signed in stays signed in.", Next: "Try again in a moment; signing in works again by itself as soon as the provider answers."}
	case domain.ReasonProviderDisabled:
		return http.StatusForbidden, problem{What: "This way of signing in is switched off", Why: "The operator of this server has disabled the identity provider, and everybody whom it had signed in was signed out.", Next: "Use another way to sign in if there is one, or ask the operator of this server."}
	case domain.ReasonProviderError:
		return http.StatusBadGateway, problem{Person: true, What: "The identity provider did not let you in", Why: "It ended the sign-in with an error. Perhaps you cancelled, or you are not assigned to this application there.", Next: "Try again. If it happens again, ask an administrator to assign you to this application at the identity provider."}
	case domain.ReasonBadToken:
		return http.StatusBadGateway, problem{What: "The identity provider’s answer was not accepted", Why: "A check of its answer failed, so nobody was signed in. Usually a setting at the provider or here is wrong.", Next: "Try again. If it happens again, give an administrator the request id below; the log says which check failed."}
	case domain.ReasonNoGroup:
		return http.StatusForbidden, problem{Person: true, What: "You are in none of the groups", Why: "Your organization lets people in by their groups at the identity provider, and none of yours gives access here.", Next: "Ask an administrator to add you to a group, then sign in again."}
	case domain.ReasonNotProved:
		return http.StatusForbidden, problem{What: "The identity provider did not ask you again", Why: "This change needs a fresh sign-in, and the provider answered with an old one.", Next: "Sign out there, then try again. If it happens again, an administrator must let the provider honor “max_age” or “prompt=login”."}
	case domain.ReasonAnotherPerson:
		return http.StatusForbidden, problem{What: "That was another account", Why: "You were asked to prove who you are, and signed in at the identity provider as somebody else. Nothing was changed.", Next: "Try again with the account that you are signed in with here."}
	case domain.ReasonSetUpOver:
		return http.StatusGone, problem{What: "This set-up link is used up", Why: "It works once, until the first Organization Admin has signed in, or it is not complete.", Next: "Sign in; an Organization Admin can give you the roles that you need. The operator can name another Admin on the command line: muster admin add ADDRESS."}
	case domain.ReasonNotRenewed:
		return http.StatusUnauthorized, problem{What: "Your session has ended", Why: "The identity provider did not renew it.", Next: "Sign in again."}
	case domain.ReasonFlowLost:
		return http.StatusBadRequest, problem{What: "Please start again", Why: "This sign-in was begun in another browser or too long ago, or it was already finished. Nothing is wrong with your account.", Next: "Start again here, and stay in this browser."}
	case domain.ReasonClockSkew:
		return http.StatusBadGateway, problem{What: "The clocks do not agree", Why: "The identity provider’s clock and this server’s clock are too far apart for its answer to be accepted.", Next: "Ask an administrator to check the time on this server and at the provider, then sign in again."}
	default:
		return http.StatusForbidden, problem{Person: true, What: "You could not be signed in", Why: "The server refused this sign-in.", Next: "Ask an administrator, and give them the request id below."}
	}
}
