//go:build soak

package deploy_test

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A whole release, twice, from two places: the same bytes, for both architectures, with a list of what is in them.
func TestSoakRelease(t *testing.T) {
	var sums []string
	var dist string
	for _, place := range []string{"here", "another/and/longer/place"} {
		dir := filepath.Join(t.TempDir(), place)
		run(t, nil, "git", "clone", "--quiet", "--shared", repository, dir)
		run(t, nil, "make", "-C", dir, "dist", "VERSION="+version)
		dist = filepath.Join(dir, "dist")
		sums = append(sums, read(t, filepath.Join(dist, "SHA256SUMS")))
		run(t, nil, "env", "-C", dist, "sha256sum", "--check", "--strict", "SHA256SUMS")
	}
	if sums[0] != sums[1] {
		t.Errorf("the same sources made two releases:\n%s\n%s", sums[0], sums[1])
	}
	want := []string{
		"SHA256SUMS", "linux-amd64", "linux-arm64", "muster-1.2.3.tgz", "muster-v1.2.3-linux-amd64.tar.gz", "muster-v1.2.3-linux-arm64.tar.gz", "muster-v1.2.3.cdx.json",
		"muster_1.2.3_amd64.deb", "muster_1.2.3_arm64.deb",
	}
	if got := list(t, dist); !slices.Equal(got, want) {
		t.Errorf("the release is %v, want %v", got, want)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		file, err := elf.Open(filepath.Join(dist, "linux-"+arch, "muster"))
		if err != nil {
			t.Fatal(err)
		}
		if file.Machine != machine {
			t.Errorf("%s is for %v", arch, file.Machine)
		}
		_ = file.Close()
		if got := strings.TrimSpace(run(t, nil, "dpkg-deb", "--field", filepath.Join(dist, "muster_1.2.3_"+arch+".deb"), "Architecture")); got != arch {
			t.Errorf("the Debian package for %s is for %s", arch, got)
		}
	}
	expectListed(t, filepath.Join(dist, "muster-v1.2.3.cdx.json"), filepath.Join(dist, "linux-amd64", "muster"))
}

// unrecognized is MIT, in words that the maker of the list does not recognize; docs/dependencies.md has it.
const unrecognized = "github.com/pressly/goose/v3"

// expectListed wants every module of a binary in the list of contents, with its version and licence.
func expectListed(t *testing.T, list, binary string) {
	t.Helper()
	var contents struct {
		Components []struct {
			Name, Version string
			Evidence      struct{ Licenses []any }
			Licenses      []any
		}
	}
	if err := json.Unmarshal([]byte(read(t, list)), &contents); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range contents.Components {
		listed[c.Name+" "+c.Version] = len(c.Licenses)+len(c.Evidence.Licenses) > 0
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		if licensed, found := listed[module.Path+" "+module.Version]; !found || !licensed && module.Path != unrecognized {
			t.Errorf("%s %s is listed: %t, with a licence: %t", module.Path, module.Version, found, licensed)
		}
	}
}
