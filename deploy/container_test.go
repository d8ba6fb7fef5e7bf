package deploy_test

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
)

// hardened is how compose.yaml and the chart run the image. The network and the limits are the machine's, so that it also runs where a container may not set them.
var hardened = []string{
	"--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host", "--no-hosts",
	"--cgroups=disabled", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
}

// containers is podman with a storage of its own.
type containers struct {
	t       *testing.T
	storage string
}

// newContainers builds the image as deploy/Dockerfile says, with the binary built outside.
func newContainers(t *testing.T) containers {
	t.Helper()
	// Not t.TempDir: its names are too long for podman, and only root can remove what belongs to the image's user.
	storage, err := os.MkdirTemp("/tmp", "muster-containers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command := asRoot("rm", "-rf", storage)
		run(t, nil, command[0], command[1:]...)
	})
	image := t.TempDir()
	run(t, nil, "./image-root", static(t), filepath.Join(image, "image"))
	c := containers{t, storage}
	c.podman("build", "--quiet", "--isolation=chroot", "--layers=false", "--format=docker", "--file=Dockerfile", "--build-context=build="+image, "--tag=muster", repository)
	return c
}

func (c containers) command(args ...string) []string {
	return asRoot(append([]string{"env", "STORAGE=" + c.storage, "testdata/podman"}, args...)...)
}

func (c containers) podman(args ...string) string {
	c.t.Helper()
	command := c.command(args...)
	return run(c.t, nil, command[0], command[1:]...)
}

// start runs the image by the name "muster" and waits until the server is ready. The process is podman, which hands on signals and the exit code.
func (c containers) start(args ...string) *testkit.Process {
	c.t.Helper()
	command := c.command(slices.Concat([]string{"run", "--rm", "--name=muster", "--env=LISTEN_ADDRESS"}, hardened, args, []string{"muster"})...)
	process := testkit.Launch(c.t, testkit.Program{Path: command[0], Args: command[1:]})
	c.t.Cleanup(func() {
		kill := c.command("rm", "--force", "--time=0", "muster")
		_, _, _ = try(c.t, nil, kill[0], kill[1:]...) // it may be gone
	})
	process.WaitReady()
	return process
}

func TestContainers(t *testing.T) {
	c := newContainers(t)
	t.Run("Image", func(t *testing.T) { containers{t, c.storage}.image(t) })
	t.Run("Compose", func(t *testing.T) { containers{t, c.storage}.compose(t) })
}

// image runs the image by itself, with SQLite on a volume.
func (c containers) image(t *testing.T) {
	c.expectFiles("data/", "etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "muster")
	c.expectConfiguration()

	process := c.start("--volume=data:/data")
	// The exec of a health check is the one that asks for nothing but the binary.
	if got := c.podman("exec", "muster", "/muster", "ready"); got != "ready\n" {
		t.Errorf("the health check says %q", got)
	}
	if got := c.podman("healthcheck", "run", "muster"); strings.TrimSpace(got) != "" {
		t.Errorf("the health check of the image says %q", got)
	}
	uid := read(t, "/proc/"+strings.TrimSpace(c.podman("inspect", "--format={{.State.Pid}}", "muster"))+"/status")
	if !strings.Contains(uid, "Uid:\t65532\t65532\t65532\t65532") || !strings.Contains(uid, "CapEff:\t0000000000000000") || !strings.Contains(uid, "NoNewPrivs:\t1") {
		t.Errorf("the process is\n%s", uid)
	}
	c.expectRefusal("read-only file system", "exec", "muster", "/muster", "backup", "/elsewhere/muster.backup")
	c.podman("exec", "muster", "/muster", "backup", "/data/backup")
	c.podman("exec", "muster", "/muster", "--database-url", "sqlite:///data/restored.db", "restore", "/data/backup")
	if code := process.Stop(); code != 0 {
		t.Errorf("SIGTERM ends the container with %d", code)
	}

	// The data outlives the container.
	again := c.start("--volume=data:/data")
	if got := c.podman("exec", "muster", "/muster", "org", "list"); !strings.Contains(got, "Default") {
		t.Errorf("the organizations are %q", got)
	}
	if code := again.Stop(); code != 0 {
		t.Errorf("SIGTERM ends the container with %d", code)
	}
}

// expectFiles lists what the image holds.
func (c containers) expectFiles(want ...string) {
	c.t.Helper()
	id := strings.TrimSpace(c.podman("create", "muster"))
	path := filepath.Join(c.t.TempDir(), "image.tar")
	c.podman("export", "--output="+path, id)
	c.podman("rm", id)
	file, err := os.Open(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer file.Close()
	var got []string
	for reader := tar.NewReader(file); ; {
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			c.t.Fatal(err)
		}
		got = append(got, entry.Name)
		if entry.Name == "data/" && (entry.Uid != 65532 || entry.Mode&0o777 != 0o700) {
			c.t.Errorf("/data belongs to %d with mode %o", entry.Uid, entry.Mode)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		c.t.Errorf("the image holds %v, want %v", got, want)
	}
}

// expectConfiguration checks what the image says of itself.
func (c containers) expectConfiguration() {
	c.t.Helper()
	var images []struct {
		User   string
		Config struct {
			Entrypoint, Cmd, Env  []string
			ExposedPorts, Volumes map[string]any
		}
		Healthcheck struct {
			Test    []string
			Timeout time.Duration
		}
	}
	if err := json.Unmarshal([]byte(c.podman("image", "inspect", "muster")), &images); err != nil || len(images) != 1 {
		c.t.Fatalf("image inspect: %d images, %v", len(images), err)
	}
	image := images[0]
	if image.User != "65532:65532" || !slices.Equal(image.Config.Entrypoint, []string{"/muster"}) || !slices.Equal(image.Config.Cmd, []string{"serve"}) {
		c.t.Errorf("%q runs %v %v", image.User, image.Config.Entrypoint, image.Config.Cmd)
	}
	if _, ok := image.Config.ExposedPorts["8080/tcp"]; !ok || !slices.Contains(image.Config.Env, "LISTEN_ADDRESS=:8080") {
		c.t.Errorf("the ports are %v and the environment is %v", image.Config.ExposedPorts, image.Config.Env)
	}
	if _, ok := image.Config.Volumes["/data"]; !ok {
		c.t.Errorf("the volumes are %v", image.Config.Volumes)
	}
	if !slices.Equal(image.Healthcheck.Test, []string{"CMD", "/muster", "ready"}) || image.Healthcheck.Timeout != 5*time.Second {
		c.t.Errorf("the health check is %+v", image.Healthcheck)
	}
}

func (c containers) expectRefusal(why string, args ...string) {
	c.t.Helper()
	command := c.command(args...)
	if out, stderr, err := try(c.t, nil, command[0], command[1:]...); err == nil || !strings.Contains(stderr, why) {
		c.t.Errorf("%v: %v\n%s%s\nwant %q", args, err, out, stderr, why)
	}
}

// The image is built with the Go that go.mod asks for.
func TestDockerfileGo(t *testing.T) {
	release := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	if release == nil || !strings.Contains(read(t, "Dockerfile"), "golang:"+release[1]+"\n") {
		t.Errorf("deploy/Dockerfile names another Go than go.mod: %v", release)
	}
}
