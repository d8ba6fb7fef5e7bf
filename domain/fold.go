package domain

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the key under which text is compared without regard to case: NFKC and full case folding.
// It is made here and stored beside the original, because the databases' own lower-casing disagree
// with each other and with Unicode.
func Fold(text string) string {
	if key, ok := foldASCII(text); ok {
		return key
	}
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
}

// foldASCII is the common case, without allocation when the text is already its own key.
func foldASCII(text string) (string, bool) {
	upper := false
	for i := range len(text) {
		c := text[i]
		if c >= 0x80 {
			return "", false
		}
		if 'A' <= c && c <= 'Z' {
			upper = true
		}
	}
	if !upper {
		return text, true
	}
	key := []byte(text)
	for i, c := range key {
		if 'A' <= c && c <= 'Z' {
			key[i] = c + ('a' - 'A')
		}
	}
	return string(key), true
}
