package scim

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"muster/domain"
	"muster/internal/httpx"
	"muster/scim/schema"
)

// base is the path below which this package answers.
const base = "/scim/v2"

// Limits bound what one request, and one organization, may ask for; a zero field means its default.
type Limits struct {
	// UserBody, GroupBody and BulkBody are the largest bodies in bytes: 1 MiB, 4 MiB and 4 MiB (S90, S50).
	UserBody  int64
	GroupBody int64
	BulkBody  int64
	// BulkOperations is how many operations one Bulk may have: 1,000.
	BulkOperations int
	// PageSize is how many resources a list has when the client does not say: 100.
	PageSize int
	// MaxResults is how many it has at most: 1,000. A client that asks for more gets as many (S40).
	MaxResults int
	// Concurrency is how many operations run at once, over all organizations: 48.
	Concurrency int
	// TokenRate and OrgRate are how many requests a second a token and an organization may send; zero is without limit (S92).
	TokenRate float64
	OrgRate   float64
}

// Config is what the server is made of.
type Config struct {
	Service Service
	// PublicURL is the address under which clients reach the server, base path included, as "https://muster.example/base" (S5).
	PublicURL string
	// Client says where a request came from, for the audit log; nil means httpx.ClientOf.
	Client func(*http.Request) domain.Client
	// Definitions are what every organization has beside the standard schemas (S17).
	Definitions domain.Definitions
	// OpenDiscovery answers /ServiceProviderConfig, /ResourceTypes and /Schemas without a token too (S1).
	OpenDiscovery bool
	Limits        Limits
	// Observe is told of every operation; it may be nil.
	Observe func(context.Context, Operation)
	// Log and Clock may be nil.
	Log   *slog.Logger
	Clock func() time.Time
}

// Server is the handler of everything below /scim/v2, and of the token endpoint.
type Server struct {
	service   Service
	client    func(*http.Request) domain.Client
	limits    Limits
	log       *slog.Logger
	clock     func() time.Time
	root      string
	about     string
	open      bool
	watch     func(context.Context, Operation)
	catalogs  *catalogs
	cursors   cursors
	bookmarks *bookmarks
	rates     *rates
	recorder  *recorder
	mux       *http.ServeMux
	nowhere   http.Handler
	// outputs are buffers that no answer uses at the moment.
	outputs sync.Pool
}

// New returns the server; a base path must be cut off before. Run must be called for its activity to be kept.
func New(config Config) *Server {
	s := &Server{
		client: config.Client, limits: config.Limits.withDefaults(), log: config.Log, clock: config.Clock,
		root: strings.TrimRight(config.PublicURL, "/") + base, about: strings.TrimRight(config.PublicURL, "/") + guidePath, open: config.OpenDiscovery,
		watch: config.Observe,
	}
	if s.client == nil {
		s.client = httpx.ClientOf
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.service = newFair(config.Service, s.limits.Concurrency)
	s.cursors = cursors{key: config.Service.SigningKey, clock: s.clock}
	s.bookmarks = &bookmarks{clock: s.clock, marks: map[bookmarkKey]bookmark{}}
	s.rates = newRates(s.limits)
	s.recorder = newRecorder(config.Service, s.clock, s.log)
	s.catalogs = newCatalogs(s, config.Definitions)
	s.mux = s.routes()
	s.nowhere = s.route(nothingHere)
	return s
}

// Run keeps what providers asked for, every few seconds until ctx ends (S91); Flush keeps the rest.
func (s *Server) Run(ctx context.Context) { s.recorder.run(ctx) }

// Flush keeps what is not kept yet.
func (s *Server) Flush(ctx context.Context) { s.recorder.flush(ctx) }

func (l Limits) withDefaults() Limits {
	for _, field := range []struct {
		value    *int64
		fallback int64
	}{{&l.UserBody, 1 << 20}, {&l.GroupBody, 4 << 20}, {&l.BulkBody, 4 << 20}} {
		if *field.value <= 0 {
			*field.value = field.fallback
		}
	}
	for _, field := range []struct {
		value    *int
		fallback int
	}{{&l.BulkOperations, 1000}, {&l.PageSize, 100}, {&l.MaxResults, 1000}, {&l.Concurrency, 48}} {
		if *field.value <= 0 {
			*field.value = field.fallback
		}
	}
	l.PageSize = min(l.PageSize, l.MaxResults)
	return l
}

// routes is every path there is; a collection answers with and without a slash at its end (S5).
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, handler := range map[string]handler{
		"":                       s.serveRoot,
		"/.search":               s.serveRootSearch,
		"/Bulk":                  s.serveBulk,
		"/Me":                    s.serveMe,
		"/ServiceProviderConfig": s.serveConfig,
		"/ResourceTypes":         s.serveResourceTypes,
		"/ResourceTypes/{id}":    s.serveResourceTypes,
		"/Schemas":               s.serveSchemas,
		"/Schemas/{id}":          s.serveSchemas,
		// Users and Groups are collections like the declared ones, named here for logs and metrics.
		"/Users":             s.serveCollection,
		"/Users/{id}":        s.serveResource,
		"/Groups":            s.serveCollection,
		"/Groups/{id}":       s.serveResource,
		"/{collection}":      s.serveCollection,
		"/{collection}/{id}": s.serveResource,
	} {
		mux.Handle(base+path, s.route(handler))
		if !strings.HasSuffix(path, "{id}") && path != "/.search" {
			mux.Handle(base+path+"/{$}", s.route(handler))
		}
	}
	mux.HandleFunc("GET "+guidePath, serveGuide)
	mux.Handle("/", s.route(nothingHere))
	return mux
}

// ServeHTTP implements http.Handler.
// A path with empty or dotted segments is answered here, because the mux would redirect it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	clean := path.Clean(r.URL.Path)
	if r.URL.Path != clean && r.URL.Path != clean+"/" {
		s.nowhere.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// handler answers a request whose token was checked.
type handler func(w http.ResponseWriter, r *request) error

// request is a request with what its token fixes.
type request struct {
	*http.Request

	scope   domain.OrgScope
	catalog *catalog
	profile schema.Profile
	values  map[string][]string
	// entry is what the provisioning activity will say.
	entry *entry
}

// route lets the handler answer, and notes what became of the request.
func (s *Server) route(serve handler) http.Handler {
	return httpx.Handler(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		req := &request{Request: r, entry: &entry{status: http.StatusOK}}
		begun := time.Now()
		err := s.admit(w, req, serve)
		s.observe(req, err, time.Since(begun))
		return err
	}).With(renderError)
}

// admit checks the bearer before anything else.
func (s *Server) admit(w http.ResponseWriter, req *request, serve handler) error {
	r := req.Request
	if s.open && r.Header.Get("Authorization") == "" && isDiscovery(r.Pattern) {
		req.catalog = s.catalogs.standard
		return serve(w, req)
	}
	if handled, err := s.ownUser(w, r); handled {
		return err
	}
	scope, presumed := s.presume(r)
	var err error
	if !presumed {
		if scope, err = s.authenticate(w, r); err != nil {
			s.recorder.stranger(r, s.client(r), err)
			return err
		}
	}
	httpx.Identify(r.Context(), scope.Org(), scope.Actor().Credential)
	req.scope, req.profile = scope, profileOf(r, scope)
	err = s.serve(w, req, serve)
	if err != nil && presumed {
		// What failed may not have asked whether the token is still there.
		if _, refused := s.authenticate(w, r); refused != nil {
			return refused
		}
	}
	s.recorder.note(req, err)
	return err
}

func isDiscovery(pattern string) bool {
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
		if strings.HasPrefix(pattern, base+path) {
			return true
		}
	}
	return false
}

func (s *Server) serve(w http.ResponseWriter, r *request, serve handler) error {
	if err := s.rates.admit(r.scope); err != nil {
		return err
	}
	if err := acceptable(r.Request); err != nil {
		return err
	}
	var err error
	if r.catalog, err = s.catalogs.of(r.Context(), r.scope); err != nil {
		return err
	}
	if r.values, err = parameters(r.URL.RawQuery); err != nil {
		return err
	}
	return serve(w, r)
}

// profileOf says how strictly a client is read: by its token's profile, and as Entra ID where its URL asks for that.
func profileOf(r *http.Request, scope domain.OrgScope) schema.Profile {
	profile := scope.Profile()
	if profile == domain.ProfileStrict {
		return schema.Profile{Strict: true}
	}
	return schema.Profile{
		Lenient: profile == domain.ProfileLenient,
		Entra:   profile == domain.ProfileEntra || strings.Contains(r.URL.RawQuery, "aadOptscim062020"),
	}
}

// serveCollection is POST and GET of a collection.
func (s *Server) serveCollection(w http.ResponseWriter, r *request) error {
	in, err := r.collection()
	if err != nil {
		return err
	}
	if r.reads() {
		return s.serveList(w, r, []collection{in}, r.values)
	}
	run, ok := s.operationOf(r.Method, true)
	if !ok {
		return wrongMethod(http.MethodGet, http.MethodPost)
	}
	return s.run(w, r, in, "", run)
}

// serveResource is GET, PUT, PATCH and DELETE of a resource, and the search of a collection, which no id can be mistaken for (S45).
func (s *Server) serveResource(w http.ResponseWriter, r *request) error {
	in, err := r.collection()
	if err != nil {
		return err
	}
	if r.PathValue("id") == ".search" {
		return s.search(w, r, []collection{in})
	}
	method := r.Method
	if r.reads() {
		method = http.MethodGet
	}
	run, ok := s.operationOf(method, false)
	if !ok {
		return wrongMethod(http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete)
	}
	return s.run(w, r, in, r.PathValue("id"), run)
}

// run runs an operation and answers with what became of it.
func (s *Server) run(w http.ResponseWriter, r *request, in collection, id string, run operation) error {
	c := &call{scope: r.scope, profile: r.profile, in: in, id: id, values: r.values, header: r.Header, body: bodyOf(r.Request)}
	result, err := run(r.Context(), c)
	r.entry.add(in, c, result, err)
	if err != nil {
		return err
	}
	r.entry.status = result.status
	return s.answer(r.Context(), w, result)
}

// serveRootSearch is POST of a SearchRequest over all resource types (S45).
func (s *Server) serveRootSearch(w http.ResponseWriter, r *request) error {
	return s.search(w, r, r.catalog.types)
}

func (s *Server) search(w http.ResponseWriter, r *request, types []collection) error {
	if r.Method != http.MethodPost {
		return wrongMethod(http.MethodPost)
	}
	body, err := bodyOf(r.Request)(s.limits.UserBody)
	if err != nil {
		return err
	}
	values, err := searchParameters(body)
	if err != nil {
		return err
	}
	return s.serveList(w, r, types, values)
}

// serveRoot is a query over all resource types (RFC 7644 section 3.4.2.1).
func (s *Server) serveRoot(w http.ResponseWriter, r *request) error {
	if !r.reads() {
		return wrongMethod(http.MethodGet)
	}
	return s.serveList(w, r, r.catalog.types, r.values)
}

func (s *Server) serveList(w http.ResponseWriter, r *request, types []collection, values map[string][]string) error {
	list, err := s.readList(r.Context(), values, types, r.profile, r.scope)
	if err != nil {
		return err
	}
	return s.list(r.Context(), w, r.scope, list)
}

// collection returns the resource type that the path names.
func (r *request) collection() (collection, error) {
	if in, ok := r.catalog.at(r.segment()); ok {
		return in, nil
	}
	return nil, nowhere()
}

// segment is the path's first one behind the base.
func (r *request) segment() string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, base+"/"), "/")
	return segment
}

// reads reports whether the request only reads; HEAD is GET without a body (S24).
func (r *request) reads() bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func nothingHere(http.ResponseWriter, *request) error { return nowhere() }

func nowhere() error {
	return &protocolError{status: http.StatusNotFound, text: "there is nothing at this path"}
}

// wrongMethod lists the methods that the path knows in the header Allow (RFC 9110 section 10.2.1).
func wrongMethod(known ...string) error {
	if known[0] == http.MethodGet {
		known = append([]string{http.MethodGet, http.MethodHead}, known[1:]...)
	}
	return &protocolError{status: http.StatusMethodNotAllowed, text: "this path does not know the method", allow: strings.Join(known, ", ")}
}
