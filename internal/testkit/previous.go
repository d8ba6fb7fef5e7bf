package testkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Release is an earlier release of the program.
type Release struct {
	// Path is its binary, and Source the directory of what it was built from; Source is empty when a binary was given.
	Path   string
	Source string
}

// Previous is the release before this one, built from the commit that deploy/previous-release names; once built it stays in bin.
// MUSTER_TEST_PREVIOUS may give a binary instead, or "none", as with-services says aloud where there is no history: the test is skipped then.
func Previous(t testing.TB) Release {
	t.Helper()
	switch given := os.Getenv("MUSTER_TEST_PREVIOUS"); given {
	case "":
	case "none":
		t.Skip("the release before this one is built from the git history, and there is none here")
	default:
		return Release{Path: given}
	}
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "deploy", "previous-release"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text[bytes.LastIndexByte(bytes.TrimSpace(text), '\n')+1:]))
	if len(lines) != 1 {
		t.Fatal("deploy/previous-release does not end with a line that is one commit")
	}
	source := filepath.Join(root, "bin", "previous", lines[0])
	release := Release{Path: filepath.Join(source, "bin", "muster"), Source: source}
	if _, err := os.Stat(release.Path); err == nil {
		return release
	}
	if err := checkOut(root, lines[0], source); err != nil {
		t.Fatal(err)
	}
	if err := goBuild(source, release.Path, "./cmd/muster"); err != nil {
		t.Fatalf("the release before this one: %v", err)
	}
	return release
}

// checkOut writes the files of a commit into a directory.
func checkOut(root, commit, dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	// The repository may belong to somebody else than whoever runs the tests.
	archive := exec.Command("git", "-C", root, "-c", "safe.directory=*", "archive", "--format=tar", commit)
	var files, said bytes.Buffer
	archive.Stdout, archive.Stderr = &files, &said
	if err := archive.Run(); err != nil {
		return fmt.Errorf("the git history does not give %s, the release before this one (%w: %s); in a shallow clone \"git fetch --unshallow\" brings it, "+
			"or set MUSTER_TEST_PREVIOUS to that release's binary", commit, err, strings.TrimSpace(said.String()))
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin, unpack.Stderr = &files, &said
	if err := unpack.Run(); err != nil {
		return fmt.Errorf("tar: %w: %s", err, said.String())
	}
	return nil
}
