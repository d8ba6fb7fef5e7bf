package admin

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed page.html
var pageText string

// pageGroup is the operations about one thing.
type pageGroup struct {
	Name       string
	Operations []pageOperation
}

// pageOperation is one operation as the page shows it.
type pageOperation struct {
	ID, Method, Path, Summary string
	Parameters                []*huma.Param
	// Request and Answer are JSON Schemas; empty for none.
	Request, Answer string
	Status          string
}

// documentPage is the OpenAPI document as a page to read, which needs nothing from anywhere else.
func documentPage(document *huma.OpenAPI) ([]byte, error) {
	groups := map[string][]pageOperation{}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if operation != nil {
				groups[operation.Tags[0]] = append(groups[operation.Tags[0]], shownOperation(path, operation))
			}
		}
	}
	page := struct {
		Title, Version, Description string
		Groups                      []pageGroup
		Schemas                     map[string]string
	}{document.Info.Title, document.Info.Version, document.Info.Description, nil, map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		page.Groups = append(page.Groups, pageGroup{name, groups[name]})
	}
	for name, schema := range document.Components.Schemas.Map() {
		page.Schemas[name] = indented(schema)
	}
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, page)
	return out.Bytes(), err
}

func shownOperation(path string, operation *huma.Operation) pageOperation {
	shown := pageOperation{ID: operation.OperationID, Method: operation.Method, Path: path, Summary: operation.Summary, Parameters: operation.Parameters}
	if operation.RequestBody != nil {
		shown.Request = bodySchema(operation.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(operation.Responses)) {
		if strings.HasPrefix(status, "2") {
			shown.Status, shown.Answer = status, bodySchema(operation.Responses[status].Content)
		}
	}
	return shown
}

func bodySchema(content map[string]*huma.MediaType) string {
	for _, media := range content {
		return indented(media.Schema)
	}
	return ""
}

func indented(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// servePage serves the page; its one style stands in it, and the policy lets nothing else in.
func servePage(page []byte, err error) http.Handler {
	serve := static("text/html; charset=utf-8", page, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		serve.ServeHTTP(w, r)
	})
}
