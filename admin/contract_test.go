package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contract is the OpenAPI document as the server publishes it.
type contract map[string]any

func contractOf(t *testing.T, handler http.Handler) contract {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	var document contract
	if err := json.Unmarshal(recorder.Body.Bytes(), &document); err != nil {
		t.Fatalf("the OpenAPI document: %v in %.300s", err, recorder.Body)
	}
	return document
}

// The document describes every operation whole, and nothing that is not ours.
func TestDocument(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		if w.contract["openapi"] != "3.1.0" {
			w.Errorf("openapi %v", w.contract["openapi"])
		}
		for _, path := range at(w.contract, "paths") {
			for method, operation := range object(path) {
				o := object(operation)
				if o["summary"] == nil || o["operationId"] == nil || at(o, "responses", "default", "content", "application/json") == nil {
					w.Errorf("%s %v is not described", method, o["operationId"])
				}
			}
		}
		for name := range at(w.contract, "components", "schemas") {
			if strings.HasPrefix(name, "Error") {
				w.Errorf("the schema %s is the library's", name)
			}
		}
		for _, path := range []string{"/api/v1/schemas/Failure.json", "/docs"} {
			if got := w.send(http.MethodGet, path, "", nil); got.status != http.StatusNotFound {
				w.Errorf("%s: %d", path, got.status)
			}
		}
	})
}

// check holds an answer against the document: its status, every field, and no field besides.
func (c contract) check(t *testing.T, method, path string, a answer) {
	t.Helper()
	operation := c.find(method, path)
	if operation == nil {
		return
	}
	response := at(operation, "responses", strconv.Itoa(a.status))
	if response == nil {
		if a.status < http.StatusBadRequest {
			t.Errorf("%s %s: the document has no answer %d", method, path, a.status)
			return
		}
		response = at(operation, "responses", "default")
	}
	schema := at(response, "content", "application/json", "schema")
	if schema == nil {
		if a.raw != "" {
			t.Errorf("%s %s: a body that the document does not have: %s", method, path, a.raw)
		}
		return
	}
	if wrong := c.differs(schema, a.body); wrong != "" {
		t.Errorf("%s %s: %s", method, path, wrong)
	}
}

// operation returns an operation's id.
func (c contract) operation(method, path string) string {
	return fmt.Sprint(c.find(method, path)["operationId"])
}

// operations returns the ids of all operations.
func (c contract) operations() []string {
	var ids []string
	for _, path := range at(c, "paths") {
		for _, operation := range object(path) {
			ids = append(ids, fmt.Sprint(object(operation)["operationId"]))
		}
	}
	return ids
}

// find returns the operation of a request; a literal path wins over one with parameters.
func (c contract) find(method, path string) map[string]any {
	path, _, _ = strings.Cut(path, "?")
	paths := at(c, "paths")
	if exact := at(paths, path); exact != nil {
		return object(exact[strings.ToLower(method)])
	}
	asked := strings.Split(path, "/")
	for _, template := range slices.Sorted(maps.Keys(paths)) {
		words := strings.Split(template, "/")
		if slices.EqualFunc(words, asked, func(word, given string) bool { return word == given || strings.HasPrefix(word, "{") }) {
			if operation := object(object(paths[template])[strings.ToLower(method)]); operation != nil {
				return operation
			}
		}
	}
	return nil
}

// differs says where a value is not what its schema says, or "".
func (c contract) differs(schema map[string]any, value any) string {
	if ref, ok := schema["$ref"].(string); ok {
		return c.differs(at(c, "components", "schemas", ref[strings.LastIndex(ref, "/")+1:]), value)
	}
	if variants, ok := schema["oneOf"].([]any); ok {
		for _, variant := range variants {
			if c.differs(object(variant), value) == "" {
				return ""
			}
		}
		return fmt.Sprintf("%v is none of the variants", value)
	}
	if kind := kindOf(value); !slices.Contains(kindsOf(schema), kind) {
		return fmt.Sprintf("%v is of type %s, not %v", value, kind, schema["type"])
	}
	if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, value) {
		return fmt.Sprintf("%v is none of %v", value, values)
	}
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			if wrong := c.differs(at(schema, "items"), element); wrong != "" {
				return fmt.Sprintf("[%d] %s", i, wrong)
			}
		}
	case map[string]any:
		return c.objectDiffers(schema, value)
	}
	return ""
}

func (c contract) objectDiffers(schema, value map[string]any) string {
	if len(schema) == 0 {
		return "" // anything goes
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, there := value[fmt.Sprint(name)]; !there {
			return fmt.Sprintf("%v is missing", name)
		}
	}
	for name, element := range value {
		property := at(schema, "properties", name)
		if free, ok := schema["additionalProperties"].(map[string]any); property == nil && ok {
			property = free
		}
		// The one error with a third key is the model's own.
		if property == nil && name != "message" {
			return name + " is not in the document"
		}
		if wrong := c.differs(property, element); property != nil && wrong != "" {
			return name + ": " + wrong
		}
	}
	return ""
}

func kindsOf(schema map[string]any) []string {
	switch kinds := schema["type"].(type) {
	case string:
		return []string{kinds, map[string]string{"integer": "number"}[kinds]}
	case []any:
		var all []string
		for _, kind := range kinds {
			all = append(all, kindsOf(map[string]any{"type": kind})...)
		}
		return all
	default:
		return []string{"string", "number", "boolean", "array", "object", "null"}
	}
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// at walks down the names and returns the object there, or nil.
func at(from map[string]any, names ...string) map[string]any {
	for _, name := range names {
		from = object(from[name])
	}
	return from
}

func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// The page names every operation and loads nothing.
func TestDocumentPage(t *testing.T) {
	onEngines(t, nil, func(w *world) {
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, httptest.NewRequestWithContext(w.Context(), http.MethodGet, "/api/v1/docs", nil))
		text := got.Body.String()
		for _, operation := range w.contract.operations() {
			if !strings.Contains(text, `id="`+operation+`"`) {
				w.Errorf("the page does not show %s", operation)
			}
		}
		if got.Code != http.StatusOK || strings.Contains(text, "<script") || strings.Contains(text, "src=") ||
			!strings.HasPrefix(got.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			w.Errorf("%d %v", got.Code, got.Header())
		}
	})
}
