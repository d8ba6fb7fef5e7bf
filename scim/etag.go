package scim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/scim/scimerr"
)

// noVersion is a version that no resource ever has.
const noVersion int64 = -1

// etag is a version as header and meta.version show it (S8); weak, because a representation also depends on what was asked for.
func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// conditions are the entity tags of If-Match or If-None-Match.
type conditions struct {
	// any is "*".
	any      bool
	versions []int64
}

// readConditions reads a header of entity tags (RFC 9110 section 13.1); nil means that it is not there.
// Tags that cannot be ours match nothing; a header that is none is invalidValue (S47).
func readConditions(header http.Header, name string) (*conditions, error) {
	if len(header.Values(name)) == 0 {
		return nil, nil //nolint:nilnil // no condition is no error
	}
	text := strings.TrimSpace(strings.Join(header.Values(name), ","))
	if text == "*" {
		return &conditions{any: true}, nil
	}
	var read conditions
	for tag := range strings.SplitSeq(text, ",") {
		opaque := strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if len(opaque) < 2 || opaque[0] != '"' || opaque[len(opaque)-1] != '"' {
			return nil, scimerr.New(scimerr.InvalidValue, name, `%s must be * or a list of entity tags such as W/"1"`, name)
		}
		version, err := strconv.ParseInt(opaque[1:len(opaque)-1], 10, 64)
		if err != nil || version < 1 {
			version = noVersion
		}
		read.versions = append(read.versions, version)
	}
	return &read, nil
}

// ifMatch returns the version that the client wants to change: zero for whichever is current.
// Of several it is the current one, which is asked for only then.
func ifMatch(header http.Header, current func() (int64, error)) (int64, error) {
	wanted, err := readConditions(header, "If-Match")
	switch {
	case err != nil:
		return 0, err
	case wanted == nil || wanted.any:
		return 0, nil
	case len(wanted.versions) == 1:
		return wanted.versions[0], nil
	}
	version, err := current()
	if err != nil || slices.Contains(wanted.versions, version) {
		return version, err
	}
	return noVersion, nil
}

// notModified reports whether the client has this version already (If-None-Match).
func notModified(header http.Header, version int64) (bool, error) {
	known, err := readConditions(header, "If-None-Match")
	if err != nil || known == nil {
		return false, err
	}
	return known.any || slices.Contains(known.versions, version), nil
}
