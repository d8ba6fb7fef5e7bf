package admin

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/internal/httpx"
)

// newHuma sets the library up without its own pages: they load scripts from other hosts.
func newHuma(mux mux, version string) huma.API {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Muster", Version: version,
				Description: "Organizations, workspaces, members, roles, keys and SCIM tokens. " +
					"Every path also answers under /api, /v1/platform and /api/v1/platform.",
			},
			// The document lies two steps below the server's root, wherever a base path puts that.
			Servers: []*huma.Server{{URL: "../.."}},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: securitySchemes(),
			},
		},
		// "json" is for the library's own error bodies, which it wants to write although nobody sees them.
		Formats:       map[string]huma.Format{mediaType: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: mediaType,
		Transformers:  []huma.Transformer{refusals},
	}
	// Unknown fields are ignored (checklist, item 3).
	config.AllowAdditionalPropertiesByDefault = true
	return humago.New(mux, config)
}

// schemaName names a schema after its type: "infoBody" is "Info" in the document.
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Body")
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"key":     {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A personal access token or a service key."},
		"bearer":  {Type: "http", Scheme: "bearer", Description: "The same, as a bearer token."},
		"session": {Type: "apiKey", In: "cookie", Name: "__Host-muster", Description: "A signed-in browser; same origin only."},
	}
}

func securityOf(who class) []map[string][]string {
	if who == anyone {
		return []map[string][]string{}
	}
	return []map[string][]string{{"key": {}}, {"bearer": {}}, {"session": {}}}
}

// parametersOf describes the headers that choose the organization and the workspace.
func parametersOf(who class) []*huma.Param {
	org := &huma.Param{
		Name: "X-Organization-Id", In: "header", Schema: &huma.Schema{Type: huma.TypeString, Format: "uuid"},
		Description: "The organization; without it the key's own, or the default one.",
	}
	workspace := &huma.Param{
		Name: "X-Tenant-Id", In: "header", Schema: &huma.Schema{Type: huma.TypeString, Format: "uuid"},
		Description: "The workspace; without it the key's own.",
	}
	switch who {
	case inOrg:
		return []*huma.Param{org}
	case inWorkspace:
		return []*huma.Param{org, workspace}
	case anyone, asPerson:
		return nil
	default:
		return nil
	}
}

// failureResponse describes every error's body.
func (a *api) failureResponse() map[string]*huma.Response {
	schema := schemaOf[failure](a.huma.OpenAPI().Components.Schemas)
	return map[string]*huma.Response{"default": {
		Description: "An error; the status says which kind.",
		Content:     map[string]*huma.MediaType{mediaType: {Schema: schema}},
	}}
}

// orNull says that objects may be null, for which the library has no tag.
func orNull(s *huma.Schema, properties ...string) *huma.Schema {
	for _, name := range properties {
		s.Properties[name] = &huma.Schema{OneOf: []*huma.Schema{s.Properties[name], {Type: "null"}}}
	}
	return s
}

func schemaOf[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// serveDocument makes the document once all routes stand, and serves it.
func (a *api) serveDocument() {
	document := a.huma.OpenAPI()
	// The library's own error bodies are never sent.
	delete(document.Components.Schemas.Map(), "ErrorModel")
	delete(document.Components.Schemas.Map(), "ErrorDetail")
	asJSON, jsonErr := json.Marshal(document)
	asYAML, yamlErr := document.YAML()
	a.mux.Handle("GET "+root+"/openapi.json", static("application/openapi+json", asJSON, jsonErr))
	a.mux.Handle("GET "+root+"/openapi.yaml", static("application/openapi+yaml", asYAML, yamlErr))
	a.mux.Handle("GET "+root+"/docs", servePage(documentPage(document)))
}

func static(contentType string, body []byte, err error) http.Handler {
	return httpx.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", contentType)
		_, err := w.Write(body)
		return err
	}).With(fail)
}
