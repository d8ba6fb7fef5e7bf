package deploy_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/internal/testkit"
)

// released is what "make dist" would put into dist for this machine; compressing less is the only difference.
func released(t *testing.T) string {
	t.Helper()
	binary := static(t)
	dist := filepath.Join(filepath.Dir(binary), "dist")
	releasedOnce.Do(func() {
		for _, version := range []string{version, nextVersion} {
			pack(t, dist, version, []byte(read(t, binary)), quickly, "deploy/package")
		}
	})
	return dist
}

var (
	releasedOnce sync.Once
	quickly      = []string{"COMPRESSION_LEVEL=1"}
)

// nextVersion is an upgrade.
const nextVersion = "v1.3.0"

func debName(version string) string {
	return "muster_" + strings.TrimPrefix(version, "v") + "_" + runtime.GOARCH + ".deb"
}

// The archive installs with install.sh, which an upgrade runs again.
func TestArchive(t *testing.T) {
	dist, place, root := released(t), t.TempDir(), t.TempDir()
	folder := "muster-" + version + "-linux-" + runtime.GOARCH
	want := []string{
		"0755 " + folder + "/",
		"0644 " + folder + "/README.md", "0755 " + folder + "/install.sh", "0755 " + folder + "/muster",
		"0644 " + folder + "/muster-backup.service", "0644 " + folder + "/muster-backup.timer", "0755 " + folder + "/muster-run",
		"0644 " + folder + "/muster.env", "0644 " + folder + "/muster.service",
	}
	if got := archived(t, filepath.Join(dist, archiveName(version))); !slices.Equal(got, want) {
		t.Errorf("the archive holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	run(t, nil, "tar", "-C", place, "-xzf", filepath.Join(dist, archiveName(version)))
	script := filepath.Join(place, folder, "install.sh")
	if got := run(t, []string{"DESTDIR=" + root}, "sh", script); !strings.Contains(got, "Installed "+strings.TrimSpace(stamp)) {
		t.Errorf("install.sh says %q", got)
	}
	expectModes(t, root, map[string]os.FileMode{
		"usr/local/bin/muster": 0o755, "usr/local/sbin/muster-run": 0o755, "etc/muster/muster.env": 0o600,
		"etc/systemd/system/muster.service": 0o644, "etc/systemd/system/muster-backup.service": 0o644, "etc/systemd/system/muster-backup.timer": 0o644,
	})
	installed := filepath.Join(root, "usr/local/bin/muster")
	serveAndStop(t, installed)

	settings := filepath.Join(root, "etc/muster/muster.env")
	write(t, settings, "HOSTNAME_URL=https://id.example.com\n", 0o600)
	run(t, []string{"DESTDIR=" + root}, "sh", script)
	if got := read(t, settings); got != "HOSTNAME_URL=https://id.example.com\n" {
		t.Errorf("after an upgrade the settings are %q", got)
	}

	makeForeign(t, filepath.Join(place, folder, "muster"))
	_, stderr, err := try(t, []string{"DESTDIR=" + root}, "sh", script)
	if err == nil || !strings.Contains(stderr, "install.sh: ./muster does not run here; is the archive for this machine") {
		t.Errorf("a binary for another machine: %v\n%s", err, stderr)
	}
	if got := run(t, nil, installed, "version"); got != stamp {
		t.Errorf("a binary for another machine left %q behind", got)
	}
}

// dpkg itself installs the Debian package, into a folder: an upgrade keeps the settings, and only purging removes them.
func TestDebianPackage(t *testing.T) {
	dist, root := released(t), t.TempDir()
	for _, dir := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "var/lib/dpkg/status"), "", 0o644)
	dpkg := func(args ...string) string {
		command := asRoot(append([]string{"dpkg", "--root=" + root, "--force-script-chrootless"}, args...)...)
		return run(t, []string{"DEBIAN_FRONTEND=noninteractive"}, command[0], command[1:]...)
	}
	if got := dpkg("--install", filepath.Join(dist, debName(version))); !strings.Contains(got, "set the values in /etc/muster/muster.env, then: systemctl enable --now muster muster-backup.timer") {
		t.Errorf("the first installation says\n%s", got)
	}
	expectModes(t, root, map[string]os.FileMode{
		"usr/bin/muster": 0o755, "usr/sbin/muster-run": 0o755, "etc/muster/muster.env": 0o600, "usr/share/doc/muster/README.md": 0o644,
		"lib/systemd/system/muster.service": 0o644, "lib/systemd/system/muster-backup.service": 0o644, "lib/systemd/system/muster-backup.timer": 0o644,
	})
	serveAndStop(t, filepath.Join(root, "usr/bin/muster"))

	settings := filepath.Join(root, "etc/muster/muster.env")
	write(t, settings, "HOSTNAME_URL=https://id.example.com\n", 0o600)
	if got := dpkg("--install", filepath.Join(dist, debName(nextVersion))); strings.Contains(got, "set the values") {
		t.Errorf("an upgrade speaks as if it were the first installation:\n%s", got)
	}
	dpkg("--remove", "muster")
	if got := read(t, settings); got != "HOSTNAME_URL=https://id.example.com\n" {
		t.Errorf("after upgrade and removal the settings are %q", got)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/muster")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the binary stays after removal: %v", err)
	}
	dpkg("--purge", "muster")
	if _, err := os.Stat(settings); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the settings stay after purging: %v", err)
	}
}

// A whole life under systemd: testdata/trial installs, runs, backs up, upgrades and removes on a machine that was just booted.
func TestSystemd(t *testing.T) {
	dist, folder := released(t), t.TempDir()
	for from, to := range map[string]string{debName(version): "first.deb", debName(nextVersion): "second.deb", archiveName(nextVersion): "archive.tar.gz"} {
		write(t, filepath.Join(folder, to), read(t, filepath.Join(dist, from)), 0o644)
	}
	write(t, filepath.Join(folder, "trial"), read(t, "testdata/trial"), 0o755)
	write(t, filepath.Join(folder, "address"), testkit.FreeAddress(t), 0o644)
	command := asRoot("testdata/boot", folder)
	run(t, nil, command[0], command[1:]...)
}

// Units that systemd finds fault with, or that leave more open than they need to, do not pass.
func TestUnits(t *testing.T) {
	root := t.TempDir()
	units := filepath.Join(root, "lib/systemd/system")
	write(t, filepath.Join(root, "usr/local/bin/muster"), "#!/bin/sh\n", 0o755)
	// The targets that ours name.
	run(t, nil, "mkdir", "-p", filepath.Dir(units))
	run(t, nil, "cp", "-R", "/lib/systemd/system", units)
	names := []string{"muster.service", "muster-backup.service", "muster-backup.timer"}
	for _, name := range names {
		write(t, filepath.Join(units, name), read(t, "systemd/"+name), 0o644)
	}
	if _, stderr, err := try(t, nil, "systemd-analyze", append([]string{"verify", "--root=" + root}, names...)...); err != nil || stderr != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, stderr)
	}
	for _, name := range names[:2] {
		// Of 100; a service without any hardening has 96.
		if out, stderr, err := try(t, nil, "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", "systemd/"+name); err != nil {
			t.Errorf("systemd-analyze security: %v\n%s%s", err, out, stderr)
		}
	}
}

// archived lists an archive's entries with their modes; all belong to root and have one time.
func archived(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for reader := tar.NewReader(unzipped); ; {
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry.Uid != 0 || entry.Gid != 0 || entry.ModTime.Unix() != 1700000000 {
			t.Errorf("%s belongs to %d:%d and is of %s", entry.Name, entry.Uid, entry.Gid, entry.ModTime)
		}
		entries = append(entries, fmt.Sprintf("%04o %s", entry.Mode, entry.Name))
	}
}

// makeForeign turns a binary into one of another architecture, as far as the kernel looks.
func makeForeign(t *testing.T, path string) {
	t.Helper()
	binary := []byte(read(t, path))
	const machine, s390 = 18, 22 // where an ELF file names its machine, and one that this is not
	binary[machine], binary[machine+1] = s390, 0
	write(t, path, string(binary), 0o755)
}

// expectModes checks files and their modes below a root.
func expectModes(t *testing.T, root string, modes map[string]os.FileMode) {
	t.Helper()
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s has the mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
