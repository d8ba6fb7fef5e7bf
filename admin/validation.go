package admin

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"muster/domain"
)

// refusals is the library's hook for what it is about to write.
// It is used instead of huma.NewError, which is a variable of the whole process.
func refusals(ctx huma.Context, _ string, body any) (any, error) {
	result := outcomeOf(ctx.Context())
	if model, ok := body.(*huma.ErrorModel); ok && result.err == nil {
		result.err = refusal(model)
	}
	return body, nil
}

// refusal puts what the library found wrong with a request into our own errors.
func refusal(model *huma.ErrorModel) error {
	switch model.Status {
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusRequestTimeout:
		return domain.Errorf(domain.Unavailable, "the body did not arrive in time")
	}
	if len(model.Errors) == 0 {
		return &invalidRequest{[]fieldError{{[]any{"body"}, model.Detail, "missing"}}}
	}
	fields := make([]fieldError, len(model.Errors))
	for i, detail := range model.Errors {
		fields[i] = wrongField(detail, model.Status == http.StatusBadRequest)
	}
	return &invalidRequest{fields}
}

// wrongField says what is wrong in one place; unparsed means that the body is no JSON at all.
func wrongField(detail *huma.ErrorDetail, unparsed bool) fieldError {
	location := locate(detail.Location)
	if name, missing := missingProperty(detail.Message); missing {
		return fieldError{append(location, name), "this field is required", "missing"}
	}
	if detail.Location == "body" && unparsed {
		return fieldError{location, "the body must be one JSON object: " + detail.Message, "json_invalid"}
	}
	if detail.Location == "body" && detail.Message == validation.MsgExpectedObject {
		return fieldError{location, "the body must be one JSON object", "value_error"}
	}
	return fieldError{location, detail.Message, "value_error"}
}

// missingProperty reads the name back from the library's message, which is the only place where it stands:
// the location of that finding is the object around the property.
func missingProperty(message string) (string, bool) {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	rest, ok := strings.CutPrefix(message, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// locate turns "body.workspace_ids[2]" into "body", "workspace_ids", 2.
func locate(path string) []any {
	location := []any{}
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		if index, err := strconv.Atoi(part); err == nil {
			location = append(location, index)
			continue
		}
		location = append(location, part)
	}
	return location
}
