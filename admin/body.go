package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"muster/domain"
)

// decode reads a JSON object into a struct; unknown fields are ignored (checklist, item 3), wrong ones are all listed.
// An empty body is an empty object.
func decode(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return domain.Errorf(domain.TooLarge, "the body is larger than %d bytes", maxBody)
		}
		return domain.Errorf(domain.Invalid, "the body could not be read")
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return &invalidBody{[]fieldError{{[]string{"body"}, "the body must be one JSON object", "json_invalid"}}}
	}
	return decodeFields(fields, into)
}

// decodeFields decodes one field after the other, so that every wrong one is named.
func decodeFields(fields map[string]json.RawMessage, into any) error {
	var wrong []fieldError
	for name, raw := range fields {
		one, err := json.Marshal(map[string]json.RawMessage{name: raw})
		if err != nil {
			return err
		}
		err = json.Unmarshal(one, into)
		if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			wrong = append(wrong, fieldError{[]string{"body", name}, "this must be " + wanted(mismatch.Type.String()) + ", not " + mismatch.Value, "type_error"})
		} else if err != nil {
			wrong = append(wrong, fieldError{[]string{"body", name}, "this value cannot be read: " + err.Error(), "value_error"})
		}
	}
	if len(wrong) > 0 {
		return &invalidBody{wrong}
	}
	return nil
}

// wanted puts a Go type into the words of JSON.
func wanted(goType string) string {
	switch strings.TrimPrefix(goType, "*") {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	default:
		if strings.HasPrefix(goType, "[]") {
			return "a list"
		}
		return "a text"
	}
}

// need lists the fields that are missing; values are pairs of name and whether it is there.
func need(fields map[string]bool) error {
	var wrong []fieldError
	for name, there := range fields {
		if !there {
			wrong = append(wrong, fieldError{[]string{"body", name}, "this field is required", "missing"})
		}
	}
	if len(wrong) > 0 {
		return &invalidBody{wrong}
	}
	return nil
}

// unmarshal decodes one value for a type with a decoder of its own.
func unmarshal(raw []byte, into any) error { return json.Unmarshal(raw, into) }
