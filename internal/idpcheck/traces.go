package idpcheck

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cleanUpTime bounds the removal, for a server that answers nothing any more.
const cleanUpTime = 2 * time.Minute

// trace is something that a POST was to make.
type trace struct {
	as string
	// collection is "/Users" or "/Groups", attribute the one that names it, name its value, which no one else has.
	collection, attribute, name string
	// id is empty until an answer told it; settled says that no such answer is to be expected any more.
	id      string
	settled bool
}

// traces are everything that a run may have made, in its order.
type traces struct{ all []*trace }

// intend notes a POST before it is sent.
func (t *traces) intend(as string, r request) {
	made := &trace{as: as, collection: r.path, attribute: "userName"}
	if r.path == "/Groups" {
		made.attribute = "displayName"
	}
	made.name, _ = lookUp(decode([]byte(r.body)), made.attribute).(string)
	t.all = append(t.all, made)
}

// made notes the answer to the last POST; its id counts when it repeats the name, so that nobody else is taken for ours.
func (t *traces) made(as string, got answer) {
	last := t.all[len(t.all)-1]
	id, _ := lookUp(got.body, "id").(string)
	if last.as == as && got.status/100 == 2 && id != "" && strings.Trim(id, ".") != "" && last.names(got.body) {
		last.id = id
	}
	last.settled = last.id != "" || got.status/100 == 4 && got.status != http.StatusRequestTimeout
}

// names reports whether a resource bears the name that was sent.
func (t *trace) names(resource any) bool {
	name, ok := lookUp(resource, t.attribute).(string)
	return ok && t.name != "" && strings.EqualFold(name, t.name)
}

// id returns the id of what was made under a name.
func (t *traces) id(as string) (string, bool) {
	for _, made := range t.all {
		if as != "" && made.as == as && made.id != "" {
			return made.id, true
		}
	}
	return "", false
}

// cleanUp removes what was made, the last first, and notes what is left.
func (r *run) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	removed := map[string]bool{}
	for i := len(r.traces.all) - 1; i >= 0; i-- {
		made := r.traces.all[i]
		if made.id != "" {
			r.remove(ctx, made, made.id, removed)
		} else if !made.settled {
			r.findAndRemove(ctx, made, removed)
		}
	}
}

// findAndRemove looks for what a POST without a usable answer may have made.
func (r *run) findAndRemove(ctx context.Context, made *trace, removed map[string]bool) {
	got, err := r.client.send(ctx, request{method: http.MethodGet, path: made.collection + "?filter=" + made.attribute + ` eq "` + made.name + `"`})
	if err != nil || got.status != http.StatusOK {
		r.left("perhaps "+made.collection+" "+made.name, "it cannot be looked for")
		return
	}
	list, _ := lookUp(got.body, "Resources").([]any)
	found := false
	for _, one := range list {
		if id, ok := lookUp(one, "id").(string); ok && id != "" && made.names(one) {
			found = true
			r.remove(ctx, made, id, removed)
		}
	}
	if !found {
		r.left("perhaps "+made.collection+" "+made.name, "its creation was not answered, and it is not there yet")
	}
}

// remove deletes one resource and looks whether it is gone; who cannot be deleted is at least deactivated.
func (r *run) remove(ctx context.Context, made *trace, id string, removed map[string]bool) {
	place := made.collection + "/" + url.PathEscape(id)
	if removed[place] {
		return
	}
	removed[place] = true
	got, err := r.client.send(ctx, request{method: http.MethodDelete, path: place})
	if err == nil && (got.status/100 == 2 || got.status == http.StatusNotFound) {
		got, err = r.client.send(ctx, request{method: http.MethodGet, path: place})
		if err == nil && got.status == http.StatusNotFound {
			return
		}
		r.left(place+" "+made.name, "it was deleted and is still answered")
		return
	}
	why := "it cannot be deleted"
	if err != nil {
		why = err.Error()
	} else if r.deactivate(ctx, made, place) {
		why = "it cannot be deleted, and was deactivated"
	}
	r.left(place+" "+made.name, why)
}

func (r *run) deactivate(ctx context.Context, made *trace, place string) bool {
	if made.attribute != "userName" {
		return false
	}
	got, err := r.client.send(ctx, request{method: http.MethodPatch, path: place, body: `{"schemas":["` + schemaPatch + `"],"Operations":[{"op":"replace","value":{"active":false}}]}`})
	return err == nil && got.status/100 == 2
}

func (r *run) left(what, why string) {
	r.summary.Left = append(r.summary.Left, r.client.printable(what+": "+why))
}
