// Package deploy_test builds what is released and installs it, in the ways that docs/install.md tells of.
package deploy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/internal/testkit"
)

const (
	repository = ".."
	version    = "v1.2.3"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	stamp      = "muster " + version + " (" + commit + ")\n"
)

// A binary is static, says what it is, and is the same wherever it is built.
func TestBuild(t *testing.T) {
	binary := static(t)
	if got := run(t, nil, binary, "version"); got != stamp {
		t.Errorf("the version is %q, want %q", got, stamp)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the binary needs libraries: %v %v", libraries, err)
	}
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP {
			t.Error("the binary needs a loader")
		}
	}

	elsewhere := filepath.Join(t.TempDir(), "another", "and", "longer", "place")
	copySources(t, elsewhere)
	again := build(t, elsewhere)
	if digest(t, binary) != digest(t, again) {
		t.Errorf("%s and %s differ, though both are made of the same files", binary, again)
	}
	// Paths of the machine would make it differ elsewhere.
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(here+"/cmd")) {
		t.Errorf("the binary holds the path %s", here)
	}
}

// The packages, too, are the same for the same binary, whoever makes them at whatever time.
func TestPackagesAreReproducible(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	standIn := []byte("#!/bin/sh\necho muster\n")
	for i, dist := range []string{first, second} {
		command := []string{"sh", "-c", "umask " + []string{"022", "077"}[i] + " && exec deploy/package \"$@\"", "package"}
		pack(t, dist, version, standIn, nil, command...)
	}
	names := list(t, first)
	if want := []string{"linux-" + runtime.GOARCH, archiveName(version), "muster_1.2.3_" + runtime.GOARCH + ".deb"}; !slices.Equal(names, want) {
		t.Errorf("there are %v, want %v", names, want)
	}
	for _, name := range names[1:] {
		if digest(t, filepath.Join(first, name)) != digest(t, filepath.Join(second, name)) {
			t.Errorf("two times %s are not the same", name)
		}
	}
}

// Debian sorts versions as people mean them.
func TestDebianVersions(t *testing.T) {
	dist := t.TempDir()
	order := []string{"abc1234", "v1.2.0-rc1", "v1.2.0", "v1.2.0-3-gabc1234", "v1.2.1", "v1.10.0"}
	var versions []string
	for _, name := range order {
		pack(t, dist, name, []byte("muster"), nil, "deploy/package")
		debs, err := filepath.Glob(filepath.Join(dist, "*.deb"))
		if err != nil || len(debs) != 1 {
			t.Fatalf("%s made %v, %v", name, debs, err)
		}
		versions = append(versions, strings.TrimSpace(run(t, nil, "dpkg-deb", "--field", debs[0], "Version")))
		if err := os.Remove(debs[0]); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i < len(versions); i++ {
		if err := exec.Command("dpkg", "--compare-versions", versions[i-1], "lt", versions[i]).Run(); err != nil {
			t.Errorf("%s (%s) is not older than %s (%s)", order[i-1], versions[i-1], order[i], versions[i])
		}
	}
}

// static is the binary as "make build" makes it, at the stamp above.
func static(t *testing.T) string {
	t.Helper()
	staticOnce.Do(func() { build(t, repository) })
	path, err := filepath.Abs(filepath.Join(repository, "bin", "static", "muster"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var staticOnce sync.Once

// build runs "make build" and leaves bin/muster alone, which is the developer's.
func build(t *testing.T, dir string) string {
	t.Helper()
	run(t, nil, "make", "-C", dir, "build", "BIN=bin/static", "PROGRAMS=./cmd/muster", "VERSION="+version, "COMMIT="+commit)
	return filepath.Join(dir, "bin", "static", "muster")
}

// copySources copies what is part of the project.
func copySources(t *testing.T, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range list(t, repository) {
		if slices.Contains([]string{".git", ".tools", ".data", "bin", "dist"}, name) {
			continue
		}
		run(t, nil, "cp", "-R", filepath.Join(repository, name), to)
	}
}

// pack runs deploy/package, or the command that ends in it, on a binary of this machine's architecture.
func pack(t *testing.T, dist, version string, binary []byte, env []string, command ...string) {
	t.Helper()
	place := filepath.Join(dist, "linux-"+runtime.GOARCH)
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "muster"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	env = append(env, "SOURCE_DATE_EPOCH=1700000000")
	args := append(slices.Clone(command[1:]), version, runtime.GOARCH, dist)
	run(t, env, "env", append([]string{"-C", repository, command[0]}, args...)...)
}

func archiveName(version string) string {
	return "muster-" + version + "-linux-" + runtime.GOARCH + ".tar.gz"
}

// run runs a command, returns what it prints and fails the test when it fails.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, stderr, err := try(t, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr)
	}
	return out
}

// try is run for commands that may fail. The make that runs the tests is not to be seen by a make that they run.
func try(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...) // a clean-up runs commands, too
	command.Env = append(append(os.Environ(), "MAKEFLAGS=", "PATH="+os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin"), env...)
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

// asRoot is a command line that root runs.
func asRoot(command ...string) []string {
	if os.Geteuid() == 0 {
		return command
	}
	return append([]string{"sudo", "--preserve-env"}, command...)
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func digest(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// serveAndStop starts an installed binary and asks it to stop.
func serveAndStop(t *testing.T, binary string, env ...string) {
	t.Helper()
	process := testkit.Start(t, testkit.Program{Path: binary, Args: []string{"serve"}, Env: append(env, "DATABASE_URL="+testkit.SQLite(t))})
	if code := process.Stop(); code != 0 {
		t.Errorf("%s ended with %d", binary, code)
	}
}
