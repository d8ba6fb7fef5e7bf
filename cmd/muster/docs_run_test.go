package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/internal/testkit"
)

// How pages are written, so that they can be run:
//
//	```sh               run, in order, in one shell a page, beside a running server; every command must succeed
//	```sh norun REASON  not run, because it needs what a test has not; its muster commands and the files it names are checked
//	```output           what the block above prints; … stands for anything, and alone on a line for any lines
//	```env              settings, NAME=VALUE; the configuration must take them
//	```yaml             a file; when it begins with config or listen, the configuration must take it
//	```json             must be JSON
//
// A page's server belongs to you@example.com; them@example.com is a member. What readers put their own values for is replaced (reading).

// TestDocumentation runs every page.
func TestDocumentation(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			where := fmt.Sprintf("%s:%d", p.name, b.line)
			if slices.Contains([]string{"bash", "shell", "console", "shell-session"}, b.language) {
				t.Errorf("%s: commands stand in a block of the language sh, which is run", where)
			}
			reason, marked := b.reason()
			switch {
			case marked && reason == "", !marked && b.note != "" && b.language == "sh":
				t.Errorf("%s: after sh stands nothing, or norun and the reason", where)
			case marked:
				t.Logf("%s is not run: %s", where, reason)
			}
		}
		if slices.ContainsFunc(p.blocks, func(b block) bool { return b.tried() }) {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				newReading(t, p).run(t, p)
			})
		}
	}
}

// tried reports whether a block is more than text.
func (b block) tried() bool {
	_, marked := b.reason()
	return !marked && slices.Contains([]string{"sh", "env", "yaml", "json"}, b.language)
}

// reading is a server and a folder in which a page is followed to the letter.
type reading struct {
	dir     string
	env     []string
	replace *strings.Replacer
}

// prepared is the database that every reading begins with, and the credentials in it.
var prepared struct {
	sync.Once

	files            map[string][]byte
	key, token, acme string
}

// newReading starts the server of a page.
func newReading(t *testing.T, p page) *reading {
	t.Helper()
	binary := testkit.Build(t, "./cmd/muster")
	r := &reading{dir: t.TempDir()}
	address := testkit.FreeAddress(t)
	port := address[strings.LastIndexByte(address, ':'):]
	base := "http://localhost" + port
	database := "sqlite://" + r.dir + "/muster.db"
	prepared.Do(func() { prepare(t, binary) })
	for suffix, file := range prepared.files {
		r.write(t, "muster.db"+suffix, string(file), 0o600)
	}
	issuer := startProvider(t, base)
	settings := []string{
		"HOSTNAME_URL=" + base, "DATABASE_URL=" + database, "INITIAL_ORG_ADMIN_EMAIL=you@example.com",
		"OAUTH_ISSUER_URL=" + issuer, "OAUTH_CLIENT_ID=muster", "OAUTH_CLIENT_SECRET=secret",
	}
	if slices.ContainsFunc(p.blocks, func(b block) bool { return b.tried() && b.language == "sh" }) {
		testkit.Start(t, testkit.Program{Path: binary, Args: []string{"serve"}, Env: settings, Address: address})
	}
	r.env = append(slices.Clone(settings),
		"LISTEN_ADDRESS="+address, "HOME="+r.dir, "PATH="+r.dir+"/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8",
		"READING_MUSTER="+binary, "READING_DATABASE="+database, "READING_LISTEN="+address, "READING_SPARE="+testkit.FreeAddress(t))
	for name, script := range map[string]string{"muster": musterScript, "curl": curlScript, "sudo": sudoScript} {
		r.write(t, "bin/"+name, script, 0o755)
	}
	r.write(t, "run/secrets/acme", "secret\n", 0o600)
	for _, dir := range []string{"etc/muster", "var/lib/muster", "var/backups/muster", "var/log"} {
		if err := os.MkdirAll(filepath.Join(r.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.replace = r.replacer(t, p, base, issuer)
	return r
}

// prepare makes the database once; copying it takes a fraction of the time.
func prepare(t *testing.T, binary string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prepared.db")
	command := func(args ...string) string {
		run := exec.Command(binary, args...)
		run.Env = []string{"DATABASE_URL=sqlite://" + path}
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("muster %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	prepared.key = command("key", "create", "--email", "you@example.com", "--admin")
	command("key", "create", "--email", "them@example.com")
	prepared.token = command("token", "create", "--description", "Okta")
	prepared.acme = command("org", "create", "Acme", "--admin", "you@example.com")
	prepared.files = map[string][]byte{}
	for _, suffix := range []string{"", "-wal", ".key"} {
		file, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		prepared.files[suffix] = file
	}
}

// replacer exchanges what a reader puts their own values for.
func (r *reading) replacer(t *testing.T, p page, base, issuer string) *strings.Replacer {
	t.Helper()
	pairs := []string{
		"https://id.example.com", base, "http://localhost:8080", base, "https://example.okta.com", issuer, "https://acme.okta.com", issuer,
		"muster_pat_…", prepared.key, "muster_scim_…", prepared.token, "OAUTH_CLIENT_ID=…", "OAUTH_CLIENT_ID=muster", "OAUTH_CLIENT_SECRET=…", "OAUTH_CLIENT_SECRET=secret",
		"019a…", prepared.acme, "0oa…", "0oa1", "whsec_…", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "bin/muster", "muster",
	}
	for _, place := range []string{"/etc/muster", "/var/lib/muster", "/var/backups", "/run/secrets", "/var/log"} {
		pairs = append(pairs, place, r.dir+place)
	}
	const database = "postgres://user:password@host/muster"
	if slices.ContainsFunc(p.blocks, func(b block) bool { return b.tried() && strings.Contains(b.text, database) }) {
		pairs = append(pairs, database, testkit.Postgres(t))
	}
	return strings.NewReplacer(pairs...)
}

func (r *reading) write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	// A server that a page starts runs in the background, on an address and, unless the page names one, a database of its own.
	musterScript = `#!/bin/bash
case " ${*:-serve} " in
*" serve "*)
	[ "$LISTEN_ADDRESS" != "$READING_LISTEN" ] || LISTEN_ADDRESS=$READING_SPARE
	[ "$DATABASE_URL" != "$READING_DATABASE" ] || DATABASE_URL=sqlite://$PWD/served.db
	[ -z "${served:=$(cat "$HOME/served" 2>/dev/null)}" ] || kill "$served" 2>/dev/null
	"$READING_MUSTER" "$@" >"$HOME/served.log" 2>&1 &
	echo $! >"$HOME/served"
	set -- "${@/serve/ready}"
	for _ in {1..200}; do
		"$READING_MUSTER" "${@:-ready}" >/dev/null 2>&1 && exit 0
		kill -0 "$(cat "$HOME/served")" 2>/dev/null || break
		sleep 0.05
	done
	cat "$HOME/served.log" >&2
	exit 1 ;;
esac
exec "$READING_MUSTER" "$@"
`
	// Without this an answer that refuses would look like success.
	curlScript = `#!/bin/bash
exec /usr/bin/curl --fail-with-body --silent --show-error --max-time 20 "$@"
`
	// What is done as somebody else is done as oneself.
	sudoScript = `#!/bin/bash
while [ "${1#-}" != "$1" ]; do
	[ "$1" != -u ] || shift
	shift
done
exec env "$@"
`
)

// mark stands in the output before what a block prints.
const mark = "\x02block "

// run follows a page and compares what it says is printed.
func (r *reading) run(t *testing.T, p page) {
	t.Helper()
	script := "set -eu\ncd \"$HOME\"\n"
	for i, b := range p.blocks {
		if !b.tried() {
			continue
		}
		text := r.replace.Replace(b.text)
		if left := ellipsis(text); left != "" && b.language != "json" {
			t.Errorf("%s:%d: %q cannot be run with … in it", p.name, b.line, left)
			return
		}
		switch b.language {
		case "sh":
			if harm := harmful.FindString(comment.ReplaceAllString(strings.ReplaceAll(text, r.dir, "here"), "")); harm != "" {
				t.Errorf("%s:%d is not run, because %q would change this machine; write \"sh norun\" and the reason", p.name, b.line, harm)
				return
			}
			script += fmt.Sprintf("printf '%s%d\\n'\n%s", mark, i, text)
		case "env":
			script += fmt.Sprintf("printf '%s%d\\n'\n(set -a\n%s\nmuster config >/dev/null)\n", mark, i, text)
		case "yaml":
			script += fmt.Sprintf("printf '%s%d\\n'\n%s", mark, i, yamlCheck(r.write(t, fmt.Sprintf("block%d.yaml", i), text, 0o600), text))
		case "json":
			script += fmt.Sprintf("printf '%s%d\\n'\njq . %s >/dev/null\n", mark, i, r.write(t, fmt.Sprintf("block%d.json", i), text, 0o600))
		}
	}
	stdout, stderr, err := r.shell(t, script)
	parts := strings.Split(stdout, mark)
	printed := map[int]string{}
	last := 0
	for _, part := range parts[1:] {
		number, text, _ := strings.Cut(part, "\n")
		_, _ = fmt.Sscan(number, &last)
		printed[last] = text
	}
	if err != nil {
		t.Errorf("%s:%d: %v\n%s%s%s", p.name, p.blocks[last].line, err, r.replace.Replace(p.blocks[last].text), tail(printed[last]), tail(stderr))
	}
	r.compare(t, p, printed)
}

// shell runs a script in a process group of its own, and ends what it left running.
func (r *reading) shell(t *testing.T, script string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", script)
	command.Env, command.Dir = r.env, r.dir
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Files, because a pipe would stay open in what the script leaves running.
	out, errs := r.write(t, "stdout", "", 0o600), r.write(t, "stderr", "", 0o600)
	var files [2]*os.File
	for i, path := range []string{out, errs} {
		if files[i], err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = files[i].Close() }()
	}
	command.Stdout, command.Stderr = files[0], files[1]
	err = command.Run()
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	said, _ := os.ReadFile(out)
	complained, _ := os.ReadFile(errs)
	return string(said), string(complained), err
}

// harmful is what a page may say to an operator and a test must not do, wherever it runs; what stands below the reading's own folder is not meant.
var harmful = regexp.MustCompile(`\b(?:apt|apt-get|dpkg|systemctl|service|useradd|adduser|docker|podman|kubectl|helm|mount|reboot|npm|go)\s|(?:^|[\s"'=>])/(?:etc|usr|opt|var|root|home|lib|boot)/`)

// yamlCheck is the command that reads a file as a page means it.
func yamlCheck(path, text string) string {
	if strings.HasPrefix(text, "config:") || strings.HasPrefix(text, "listen:") {
		return "muster --config " + path + " config >/dev/null\n"
	}
	return ""
}

var comment = regexp.MustCompile(`(?m)(^|\s)#.*$`)

// ellipsis returns the first line of commands that leaves something out.
func ellipsis(text string) string {
	for line := range strings.Lines(text) {
		if line = comment.ReplaceAllString(strings.TrimSpace(line), ""); strings.Contains(line, "…") {
			return line
		}
	}
	return ""
}

func tail(text string) string {
	if len(text) > 3000 {
		text = "…" + text[len(text)-3000:]
	}
	return text
}

// compare holds what was printed against the blocks that say so.
func (r *reading) compare(t *testing.T, p page, printed map[int]string) {
	t.Helper()
	before := -1
	for i, b := range p.blocks {
		if _, marked := b.reason(); b.language == "sh" {
			before = i
			if marked {
				before = -1
			}
		}
		if b.language != "output" || before < 0 {
			continue
		}
		if got, want := printed[before], r.replace.Replace(b.text); !patternOf(want).MatchString(got) {
			t.Errorf("%s:%d says that this is printed:\n%s\nand it is:\n%s", p.name, b.line, want, got)
		}
	}
}

// patternOf matches a text in which … stands for what changes.
func patternOf(text string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString(`^`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "…" {
			pattern.WriteString(`(?s:.*)`)
			continue
		}
		words := strings.Fields(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"))
		pattern.WriteString(`\s*` + strings.Join(words, `\s+`) + `[ \t]*\n`)
	}
	pattern.WriteString(`\s*$`)
	return regexp.MustCompile(pattern.String())
}
