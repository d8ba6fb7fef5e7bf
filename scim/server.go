package scim

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// base is the path below which this package answers.
const base = "/scim/v2"

// Tokens checks an identity provider's credential.
type Tokens interface {
	SCIMToken(ctx context.Context, secret string, client domain.Client) (domain.OrgScope, error)
}

// Users are the use cases behind /Users.
type Users interface {
	CreateUser(ctx context.Context, scope domain.OrgScope, doc domain.Document) (domain.SCIMUser, error)
	GetUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID) (domain.SCIMUser, error)
	QueryUsers(ctx context.Context, scope domain.OrgScope, query domain.Query) (domain.Result[domain.SCIMUser], error)
	ChangeUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, change domain.UserChange) (domain.SCIMUser, error)
	DeleteUser(ctx context.Context, scope domain.OrgScope, id domain.MemberID, ifMatch int64) error
}

// Groups are the use cases behind /Groups.
type Groups interface {
	CreateGroup(ctx context.Context, scope domain.OrgScope, doc domain.Document, members []domain.MemberID) (domain.Group, error)
	GetGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, withMembers bool) (domain.Group, error)
	QueryGroups(ctx context.Context, scope domain.OrgScope, query domain.Query, withMembers bool) (domain.Result[domain.Group], error)
	ChangeGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, change domain.GroupChange) (domain.Group, error)
	DeleteGroup(ctx context.Context, scope domain.OrgScope, id domain.GroupID, ifMatch int64) error
}

// Service is what this package needs of the rules; *domain.Service has it.
type Service interface {
	Tokens
	Users
	Groups
}

// Limits bound what one request may ask for; a zero field means its default.
type Limits struct {
	// UserBody and GroupBody are the largest bodies in bytes: 1 MiB and 4 MiB (S90).
	UserBody  int64
	GroupBody int64
	// PageSize is how many resources a list has when the client does not say: 100.
	PageSize int
	// MaxResults is how many it has at most: 1000. A client that asks for more gets as many (S40).
	MaxResults int
}

// Config is what the server is made of.
type Config struct {
	Service Service
	// PublicURL is the address under which clients reach the server, base path included, as "https://muster.example/base" (S5).
	PublicURL string
	// Client says where a request came from, for the audit log; nil means httpx.ClientOf.
	Client func(*http.Request) domain.Client
	Limits Limits
	// Log may be nil.
	Log *slog.Logger
}

// New returns the handler of everything below /scim/v2; a base path must be cut off before.
func New(config Config) http.Handler {
	s := &server{
		service: config.Service, client: config.Client, limits: config.Limits.withDefaults(), log: config.Log,
		root: strings.TrimRight(config.PublicURL, "/") + base, users: userType(), groups: groupType(),
	}
	if s.client == nil {
		s.client = httpx.ClientOf
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.discovery = newDiscovery(s.root, s.limits, s.users, s.groups)
	s.mux = s.routes()
	s.nowhere = s.route(nil)
	return s
}

func (l Limits) withDefaults() Limits {
	defaults := Limits{UserBody: 1 << 20, GroupBody: 4 << 20, PageSize: 100, MaxResults: 1000}
	if l.UserBody > 0 {
		defaults.UserBody = l.UserBody
	}
	if l.GroupBody > 0 {
		defaults.GroupBody = l.GroupBody
	}
	if l.PageSize > 0 {
		defaults.PageSize = l.PageSize
	}
	if l.MaxResults > 0 {
		defaults.MaxResults = l.MaxResults
	}
	defaults.PageSize = min(defaults.PageSize, defaults.MaxResults)
	return defaults
}

// server holds what all requests share; nothing in it changes.
type server struct {
	service   Service
	client    func(*http.Request) domain.Client
	limits    Limits
	log       *slog.Logger
	root      string
	users     resourceType
	groups    resourceType
	discovery discovery
	mux       *http.ServeMux
	nowhere   http.Handler
}

// methods are the handlers of one path; a nil map is a path that does not exist.
type methods map[string]httpx.Handler

// anyMethod stands for all methods.
const anyMethod = ""

// routes is every path there is.
func (s *server) routes() *http.ServeMux {
	const get, post, put, patch, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	mux := http.NewServeMux()
	// A collection answers with and without a slash at its end (S5).
	collections := map[string]methods{
		"":                       {anyMethod: notImplemented},
		"/Users":                 {get: s.listUsers, post: s.createUser},
		"/Groups":                {get: s.listGroups, post: s.createGroup},
		"/ServiceProviderConfig": {get: s.serviceProviderConfig},
		"/ResourceTypes":         {get: s.listResourceTypes},
		"/Schemas":               {get: s.listSchemas},
	}
	for path, methods := range collections {
		mux.Handle(base+path, s.route(methods))
		mux.Handle(base+path+"/{$}", s.route(methods))
	}
	for path, methods := range map[string]methods{
		"/Users/{id}":         {get: s.getUser, put: s.replaceUser, patch: s.patchUser, remove: s.deleteUser},
		"/Users/.search":      {post: s.searchUsers},
		"/Groups/{id}":        {get: s.getGroup, put: s.replaceGroup, patch: s.patchGroup, remove: s.deleteGroup},
		"/Groups/.search":     {post: s.searchGroups},
		"/ResourceTypes/{id}": {get: s.getResourceType},
		"/Schemas/{id}":       {get: s.getSchema},
		"/Me":                 {anyMethod: notImplemented},
		"/Bulk":               {anyMethod: notImplemented},
		"/.search":            {anyMethod: notImplemented},
	} {
		mux.Handle(base+path, s.route(methods))
	}
	mux.Handle("/", s.route(nil))
	return mux
}

// ServeHTTP implements http.Handler.
// A path with empty or dotted segments is answered here, because the mux would redirect it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	clean := path.Clean(r.URL.Path)
	if r.URL.Path != clean && r.URL.Path != clean+"/" {
		s.nowhere.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// route checks the bearer before anything else, then lets the method's handler answer.
func (s *server) route(m methods) http.Handler {
	return httpx.Handler(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		scope, err := s.authenticate(w, r)
		if err != nil {
			return err
		}
		if err := acceptable(r); err != nil {
			return err
		}
		handler, err := m.of(r.Method)
		if err != nil {
			return err
		}
		return handler(w, r.WithContext(withScope(r.Context(), scope)))
	}).With(renderError)
}

// of returns the handler of a method; HEAD is GET without a body (S24).
func (m methods) of(method string) (httpx.Handler, error) {
	if m == nil {
		return nil, &protocolError{status: http.StatusNotFound, text: "there is nothing at this path"}
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if handler, ok := m[method]; ok {
		return handler, nil
	}
	if handler, ok := m[anyMethod]; ok {
		return handler, nil
	}
	return nil, &protocolError{status: http.StatusMethodNotAllowed, text: "this path does not know the method", allow: m.allowed()}
}

// allowed lists the methods for the header Allow (RFC 9110 section 10.2.1).
func (m methods) allowed() string {
	var names []string
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		known := method
		if method == http.MethodHead {
			known = http.MethodGet
		}
		if _, ok := m[known]; ok {
			names = append(names, method)
		}
	}
	return strings.Join(names, ", ")
}

// notImplemented answers for what RFC 7644 knows and this server does not have: /Me for a token that is no person's,
// bulk, and queries over all resource types.
func notImplemented(http.ResponseWriter, *http.Request) error {
	return &protocolError{status: http.StatusNotImplemented, text: "this server does not support this endpoint"}
}

// scopeKey is the only context key of this package.
type scopeKey struct{}

func withScope(ctx context.Context, scope domain.OrgScope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// scopeOf returns the organization that the request's token fixed; the zero scope, which a store refuses, if there is none.
func scopeOf(r *http.Request) domain.OrgScope {
	scope, _ := r.Context().Value(scopeKey{}).(domain.OrgScope)
	return scope
}
