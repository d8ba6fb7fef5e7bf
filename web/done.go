package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// doneWords are what a page says after a form was obeyed; the address names the words and cannot bring its own.
var doneWords = map[string]string{ //nolint:gochecknoglobals,gosec // a constant table of words
	"created":            "Created.",
	"saved":              "Saved.",
	"deleted":            "Deleted.",
	"removed":            "Removed. Every session and token of this person in the organization has ended.",
	"role":               "The role was changed.",
	"disabled":           "Disabled. Every session and token of this person in the organization has ended. Roles are kept and come back when you enable the person again.",
	"enabled":            "Enabled.",
	"sessions":           "Signed out everywhere.",
	"invited":            "Invited.",
	"withdrawn":          "The invite was withdrawn; it lets nobody in any more.",
	"left-workspace":     "Taken out of the workspace.",
	"in-workspace":       "Added to the workspace.",
	"renamed":            "Renamed. Groups whose names speak of it were read again.",
	"default":            "First-time users join this organization from now on.",
	"joined":             "You have joined.",
	"declined":           "Declined.",
	"mapped":             "The mapping is in force, for everybody who is in the group.",
	"unmapped":           "The group’s own name decides again.",
	"released":           "Released: what was held back passes at the identity provider’s next try.",
	"refused":            "Refused: what was held back stays refused for one window.",
	"sent":               "Sent.",
	"revoked":            "Switched off.",
	"restored":           "Switched on again.",
	"everybody-out":      "Everybody was signed out.",
	"token-deleted":      "The token has ended; the next request with it is refused.",
	"organization-added": "The organization was created; you are its Organization Admin.",
}

// undoing is a form that takes back what was just done.
type undoing struct {
	Action string
	Fields url.Values
}

// undoTime is how long an offer to undo is good.
const undoTime = 10 * time.Minute

// finish leads to a page that says what was done.
func (v *visit) finish(path, words string) error {
	return v.goTo(v.rw, v.r, withQuery(path, url.Values{"done": {words}}))
}

// finishWith also offers to take it back, by a form sent to action.
// The offer is signed, so that a link made elsewhere cannot dress a change up as undoing one.
func (v *visit) finishWith(path, words, action string, fields url.Values) error {
	offer := action + "?" + fields.Encode()
	until := strconv.FormatInt(time.Now().Add(undoTime).Unix(), 10)
	mac, err := v.sign(offer, until)
	if err != nil {
		return err
	}
	return v.goTo(v.rw, v.r, withQuery(path, url.Values{"done": {words}, "undo": {offer}, "until": {until}, "mac": {mac}}))
}

func withQuery(path string, query url.Values) string {
	if strings.Contains(path, "?") {
		return path + "&" + query.Encode()
	}
	return path + "?" + query.Encode()
}

// sign binds an offer to the person and a time.
func (v *visit) sign(offer, until string) (string, error) {
	key, err := v.Rules.SigningKey(v.ctx())
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("undo\n" + string(v.principal.User().ID) + "\n" + until + "\n" + offer))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// done reads what the page before did, and the offer to take it back.
func (v *visit) done() (string, *undoing) {
	if v.r.Method != http.MethodGet {
		return "", nil
	}
	query := v.r.URL.Query()
	words := doneWords[query.Get("done")]
	offer, until := query.Get("undo"), query.Get("until")
	if words == "" || offer == "" {
		return words, nil
	}
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || time.Now().Unix() > end {
		return words, nil
	}
	mac, err := v.sign(offer, until)
	if err != nil || !hmac.Equal([]byte(mac), []byte(query.Get("mac"))) {
		return words, nil
	}
	action, encoded, _ := strings.Cut(offer, "?")
	fields, err := url.ParseQuery(encoded)
	if err != nil {
		return words, nil
	}
	return words, &undoing{Action: v.config.BasePath + action, Fields: fields}
}
