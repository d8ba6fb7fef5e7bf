package scim

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	elimity "github.com/elimity-com/scim/errors"

	"muster/domain"
	"muster/scim/schema"
)

// flushEvery is how long what providers asked for waits in memory: a crash loses no more than that,
// and no change, because changes are in the audit log in their own commit.
const flushEvery = 2 * time.Second

// The recorder's bounds.
const (
	// listed is how many successful reads a token has listed one by one per flush; the rest are counted.
	listed = 20
	// maxPending is how many entries wait at most; when the database is away for long the oldest stay and later ones are dropped.
	maxPending = 5000
)

// entry is what the provisioning activity will say about a request (S91).
type entry struct {
	mutex    sync.Mutex
	resource string
	target   string
	// status is that of an answer without an error.
	status     int
	changed    bool
	undeclared []found
	// failures are those of a Bulk's operations.
	failures []domain.Activity
}

type found struct {
	resource string
	schema.Unknown
}

// add notes what a call was about and what it dropped.
func (e *entry) add(in collection, c *call, result outcome, err error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.resource, e.target = in.kind().Name, c.id
	if e.target == "" {
		e.target = result.res.id
	}
	if err == nil && !result.res.unchanged {
		e.changed = true
	}
	for _, unknown := range c.undeclared {
		if unknown.Example != "" { // a URN is no attribute
			e.undeclared = append(e.undeclared, found{in.kind().Name, unknown})
		}
	}
}

// refused notes an operation of a Bulk that failed.
func (e *entry) refused(op *bulkOperation, failure elimity.ScimError) {
	resource, _, _ := strings.Cut(strings.TrimPrefix(op.path, "/"), "/")
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.failures = append(e.failures, domain.Activity{
		Method: op.method, Resource: shown(resource), Target: op.id, Status: failure.Status,
		SCIMType: string(failure.ScimType), Detail: failure.Detail, Requests: 1,
	})
}

// recorder gathers activity and keeps it now and then.
type recorder struct {
	service Activities
	clock   func() time.Time
	log     *slog.Logger
	mutex   sync.Mutex
	pending map[domain.TokenID]*pending
	entries int
	// strangers are requests without a good token, by what is alike about them.
	strangers map[string]*domain.Activity
}

// pending is what one token did since the last flush.
type pending struct {
	scope      domain.OrgScope
	activity   []domain.Activity
	reads      map[string]int
	undeclared map[string]*domain.UndeclaredAttribute
}

func newRecorder(service Activities, clock func() time.Time, log *slog.Logger) *recorder {
	return &recorder{service: service, clock: clock, log: log, pending: map[domain.TokenID]*pending{}, strangers: map[string]*domain.Activity{}}
}

// maxStrangers is how many different ones are kept in one flush; the rest is counted together.
const maxStrangers = 100

// stranger notes a request that was refused for its token, with as much of the token as may be shown.
func (r *recorder) stranger(req *http.Request, client domain.Client, err error) {
	if !domain.IsKind(err, domain.Unauthenticated) {
		return
	}
	detail := "no token"
	switch token, one := bearer(req.Header); {
	case one && strings.HasPrefix(token, "muster_"):
		detail = "the token " + domain.Secret(token).Short() + " is unknown, expired or deleted"
	case req.Header.Get("Authorization") != "":
		detail = "what was sent is no token of this server"
	}
	detail += "; from " + client.IP
	r.mutex.Lock()
	defer r.mutex.Unlock()
	resource, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, base+"/"), "/")
	key := req.Method + " " + shown(resource) + " " + detail
	if r.strangers[key] == nil && len(r.strangers) >= maxStrangers {
		key, resource, detail = "others", "", "requests with other wrong tokens"
	}
	if r.strangers[key] == nil {
		r.strangers[key] = &domain.Activity{
			At: r.clock(), RequestID: client.RequestID, Method: req.Method, Resource: shown(resource), Status: http.StatusUnauthorized, Detail: detail,
		}
	}
	r.strangers[key].Requests++
}

// note gathers what a request was; a change that was made is in the audit log already.
func (r *recorder) note(req *request, err error) {
	made := err == nil && req.entry.changed && !req.reads()
	if made && len(req.entry.undeclared) == 0 && len(req.entry.failures) == 0 {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.entries >= maxPending {
		return
	}
	token := domain.TokenID(req.scope.Actor().ID)
	p := r.pending[token]
	if p == nil {
		p = &pending{scope: req.scope, reads: map[string]int{}, undeclared: map[string]*domain.UndeclaredAttribute{}}
		r.pending[token] = p
	}
	for _, failure := range req.entry.failures {
		failure.At, failure.Token, failure.RequestID = r.clock(), token, req.scope.Actor().Client.RequestID
		p.activity = append(p.activity, failure)
		r.entries++
	}
	for _, u := range req.entry.undeclared {
		p.count(token, u, r.clock())
	}
	if !made {
		r.add(p, token, req, err)
	}
}

// add lists the request, or counts it when its like was listed often enough.
func (r *recorder) add(p *pending, token domain.TokenID, req *request, err error) {
	one := domain.Activity{
		At: r.clock(), Token: token, RequestID: req.scope.Actor().Client.RequestID, Method: req.Method,
		Resource: req.entry.resource, Target: req.entry.target, Status: http.StatusOK, Requests: 1,
	}
	if one.Resource == "" {
		one.Resource = shown(req.segment())
	}
	if err != nil {
		failure := toSCIM(err)
		one.Status, one.SCIMType, one.Detail = failure.Status, string(failure.ScimType), failure.Detail
	} else {
		key := one.Method + " " + one.Resource
		if p.reads[key]++; p.reads[key] > listed {
			for i := len(p.activity) - 1; i >= 0; i-- {
				if last := &p.activity[i]; last.Status == http.StatusOK && last.Method == one.Method && last.Resource == one.Resource {
					last.Requests++
					return
				}
			}
		}
	}
	p.activity = append(p.activity, one)
	r.entries++
}

// count counts an attribute that no schema declares.
func (p *pending) count(token domain.TokenID, u found, now time.Time) {
	const most = 500
	key := u.resource + "\x00" + u.Path
	known := p.undeclared[key]
	if known == nil {
		if len(p.undeclared) >= most {
			return
		}
		known = &domain.UndeclaredAttribute{Token: token, Resource: u.resource, Path: u.Path}
		p.undeclared[key] = known
	}
	known.Requests++
	known.Example, known.LastSeen = u.Example, now
}

// run keeps what was gathered until ctx ends, and then once more.
func (r *recorder) run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.flush(ctx)
		}
	}
}

// flush keeps what was gathered; what cannot be kept is lost, and said so.
func (r *recorder) flush(ctx context.Context) {
	r.mutex.Lock()
	all := r.pending
	r.pending, r.entries = map[domain.TokenID]*pending{}, 0
	var strangers []domain.Activity
	for _, one := range r.strangers {
		strangers = append(strangers, *one)
	}
	r.strangers = map[string]*domain.Activity{}
	r.mutex.Unlock()
	if len(strangers) > 0 {
		if err := r.service.RecordStrangers(ctx, strangers); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "refused provisioning requests were not kept", "error", err)
		}
	}
	for _, p := range all {
		var undeclared []domain.UndeclaredAttribute
		for _, u := range p.undeclared {
			undeclared = append(undeclared, *u)
		}
		if err := r.service.RecordActivity(ctx, p.scope, p.activity, undeclared); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "provisioning activity was not kept", "entries", strconv.Itoa(len(p.activity)), "error", err)
		}
	}
}

// shown bounds what of a path is kept.
func shown(text string) string {
	const longest = 64
	if len(text) > longest {
		return strings.ToValidUTF8(text[:longest], "")
	}
	return text
}
