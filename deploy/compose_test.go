package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/internal/testkit"
)

// composeSpec is the reference implementation of the Compose Specification, which checks a file as "docker compose config" does.
const composeSpec = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"

// composed is what these tests look at of compose.yaml, with everything resolved.
type composed struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
	Networks map[string]struct{ Internal bool }
}

type service struct {
	Image       string
	User        string
	Environment map[string]string
	EnvFile     []struct{ Path string } `json:"env_file"`
	ReadOnly    bool                    `json:"read_only"`
	CapDrop     []string                `json:"cap_drop"`
	SecurityOpt []string                `json:"security_opt"`
	Healthcheck struct{ Test []string }
	Ports       []struct {
		HostIP string `json:"host_ip"`
	}
	Secrets []struct{ Source, Target string }
	Volumes []struct{ Source, Target, Type string }
}

// prepareCompose follows docs/install.md up to the first command of an engine, in a copy.
func prepareCompose(t *testing.T) (dir string, model composed) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "deploy")
	for _, name := range []string{"compose.yaml", ".env.example"} {
		write(t, filepath.Join(dir, name), read(t, name), 0o644)
	}
	block := regexp.MustCompile("(?s)```sh[^\n]*\ncd deploy\n(cp \\.env\\.example .*?)\ndocker compose up ").FindStringSubmatch(read(t, "../docs/install.md"))
	if block == nil {
		t.Fatal("docs/install.md does not say how compose.yaml is set up")
	}
	run(t, nil, "env", "-C", dir, "sh", "-euc", block[1])
	resolved := run(t, nil, "env", "-C", dir, "GOFLAGS=", "CGO_ENABLED=0", "go", "run", composeSpec, "--format=json", "compose.yaml")
	if err := json.Unmarshal([]byte(resolved), &model); err != nil {
		t.Fatal(err)
	}
	return dir, model
}

func TestComposeFile(t *testing.T) {
	_, model := prepareCompose(t)
	if names := slices.Sorted(maps.Keys(model.Services)); !slices.Equal(names, []string{"muster", "postgres"}) {
		t.Fatalf("the services are %v", names)
	}
	for name, s := range model.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s can do more than it needs: %+v", name, s)
		}
		if len(s.Healthcheck.Test) < 2 || s.Healthcheck.Test[0] != "CMD" {
			t.Errorf("%s has the health check %v", name, s.Healthcheck.Test)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s can be reached from outside without https", name)
			}
		}
		for _, volume := range s.Volumes {
			if volume.Type != "volume" || volume.Source == "" {
				t.Errorf("%s keeps %s in no named volume", name, volume.Target)
			}
		}
	}
	if !model.Networks["back"].Internal {
		t.Error("PostgreSQL can be reached from outside")
	}
	health := regexp.MustCompile(`(?m)^HEALTHCHECK .* CMD (\[.*\])$`).FindStringSubmatch(read(t, "Dockerfile"))
	if want := `["` + strings.Join(model.Services["muster"].Healthcheck.Test[1:], `", "`) + `"]`; health == nil || health[1] != want {
		t.Errorf("the image's health check is %v and compose.yaml's is %s", health, want)
	}
	for name, secret := range model.Secrets {
		info, err := os.Stat(secret.File)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := os.Stat(filepath.Dir(secret.File))
		if err != nil {
			t.Fatal(err)
		}
		// The file is shown to a container as it is, so its user must be able to read it; the folder keeps everybody else out.
		if info.Size() == 0 || info.Mode().Perm() != 0o444 || folder.Mode().Perm() != 0o700 {
			t.Errorf("%s has %d bytes and the mode %o, its folder %o", name, info.Size(), info.Mode().Perm(), folder.Mode().Perm())
		}
	}
}

// Every name in compose.yaml and in .env.example is a setting, and its example is a value that is taken.
func TestComposeSettings(t *testing.T) {
	dir, model := prepareCompose(t)
	muster := model.Services["muster"]
	secrets := map[string]string{}
	for _, s := range muster.Secrets {
		secrets[s.Target] = model.Secrets[s.Source].File
	}
	settings := map[string]string{}
	example := regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`)
	for _, found := range example.FindAllStringSubmatch(read(t, filepath.Join(dir, ".env")), -1) {
		settings[found[1]] = found[2]
	}
	if len(settings) < 5 {
		t.Fatalf("the example has %v", settings)
	}
	for name, value := range muster.Environment {
		if file, isSecret := secrets[value]; isSecret {
			value = file
		} else if strings.HasSuffix(name, "_FILE") {
			t.Errorf("%s names %s, which is no secret of the service", name, value)
		}
		settings[name] = value
	}
	var env []string
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	printed := run(t, env, static(t), "config")
	for name, value := range settings {
		source := "environment " + name
		if strings.HasSuffix(name, "_FILE") {
			source = "file " + value
		}
		if !strings.Contains(printed, source+"\n") {
			t.Errorf("nothing reads %s:\n%s", name, printed)
		}
	}
}

// compose runs the image as compose.yaml runs it, with its settings and secrets, on the tests' PostgreSQL.
func (c containers) compose(t *testing.T) {
	dir, model := prepareCompose(t)
	muster := model.Services["muster"]
	url := model.Secrets["database_url"].File
	if got := read(t, url); !strings.HasPrefix(got, "postgres://muster:") || !strings.Contains(got, "@postgres/muster?") {
		t.Errorf("the database is %q", got)
	}
	write(t, url+"2", testkit.Postgres(t), 0o444)
	args := []string{"--env-file=" + filepath.Join(dir, ".env")}
	for name, value := range muster.Environment {
		if name != "LISTEN_ADDRESS" {
			args = append(args, "--env="+name+"="+value)
		}
	}
	for _, s := range muster.Secrets {
		file := model.Secrets[s.Source].File
		if s.Source == "database_url" {
			file += "2"
		}
		args = append(args, "--volume="+file+":"+s.Target+":ro")
	}
	for _, volume := range muster.Volumes {
		args = append(args, "--volume="+volume.Source+"-compose:"+volume.Target)
	}
	process := c.start(args...)
	if got := c.podman(append([]string{"exec", "muster"}, muster.Healthcheck.Test[1:]...)...); got != "ready\n" {
		t.Errorf("the health check says %q", got)
	}
	if got := c.podman("exec", "muster", "/muster", "backup", "/data/"); !strings.Contains(got, "/data/muster-") {
		t.Errorf("the backup says %q", got)
	}
	if code := process.Stop(); code != 0 {
		t.Errorf("SIGTERM ends the container with %d", code)
	}
}
