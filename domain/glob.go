package domain

import "strings"

// Like reports whether a text matches one of the globs, in which "*" stands for any text; both are compared folded.
func Like(text string, globs []string) bool {
	folded := Fold(text)
	for _, glob := range globs {
		if likeOne(folded, strings.Split(Fold(glob), "*")) {
			return true
		}
	}
	return false
}

// likeOne compares with what stands between the stars.
func likeOne(text string, parts []string) bool {
	if len(parts) == 1 {
		return text == parts[0]
	}
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}
