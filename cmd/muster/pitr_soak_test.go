//go:build soak

package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
)

// docs/backup.md's way back to any moment of PostgreSQL, with its settings and commands as they stand there:
// whoever was made before the moment is there afterwards, and nobody who was made later.
func TestSoakPointInTime(t *testing.T) {
	c := newCluster(t)
	c.start("data")
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres?sslmode=disable", c.port)
	process, client := serve(t, url)
	create := func(name string) {
		if status, _, err := client.do(t.Context(), http.MethodPost, "/Users", userBody(name)); err != nil || status != http.StatusCreated {
			t.Fatal(name, status, err)
		}
	}
	create("before@example.com")
	c.sh(c.block("pg_basebackup", nil))
	create("between@example.com")
	time.Sleep(2 * time.Second)
	moment := time.Now().UTC().Format("2006-01-02 15:04:05.000+00")
	time.Sleep(2 * time.Second)
	create("after@example.com")
	c.sh("psql -c 'SELECT pg_switch_wal()'")
	eventually(t, "the log is in the archive", func() error {
		return c.try(`psql -tAc "SELECT 1 / CAST(last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) AND last_archived_time > TIMESTAMPTZ '` + moment + `' AS INT) FROM pg_stat_archiver"`)
	})
	process.Stop()
	c.sh("pg_ctl --pgdata=" + c.dir + "/data --mode=immediate stop")

	c.sh(c.block("recovery_target_time", map[string]string{"2026-11-28 16:04:00+00": moment, "--wait start": "--wait --log=" + c.dir + "/restored.log start"}))
	eventually(t, "the moment is reached", func() error {
		return c.try(`psql -tAc "SELECT 1 / CAST(NOT pg_is_in_recovery() AS INT)"`)
	})
	for command, want := range map[string]string{"session end --all": "ended", "audit verify": "in order"} {
		if text := muster(t, []string{"DATABASE_URL=" + url}, strings.Fields(command)...); !strings.Contains(text, want) {
			t.Errorf("muster %s: %s", command, text)
		}
	}
	process, again := serve(t, url)
	defer process.Stop()
	again.token = client.token
	for name, want := range map[string]float64{"before": 1, "between": 1, "after": 0} {
		status, list, err := again.do(t.Context(), http.MethodGet, "/Users?filter=userName%20eq%20%22"+name+"@example.com%22", "")
		if err != nil || status != http.StatusOK || list["totalResults"] != want {
			t.Errorf("%s: %d %v %v, want %v", name, status, list["totalResults"], err, want)
		}
	}
}

// cluster is a PostgreSQL server of the test's own.
type cluster struct {
	*testing.T

	dir, port, programs string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatal("there is no PostgreSQL server in /usr/lib/postgresql; make soak installs it")
	}
	slices.Sort(found)
	dir, err := os.MkdirTemp("/tmp", "muster-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	address := testkit.FreeAddress(t)
	c := &cluster{t, dir, address[strings.LastIndexByte(address, ':')+1:], filepath.Dir(found[len(found)-1])}
	if os.Getuid() == 0 {
		c.must(exec.Command("chown", "postgres", dir).Run())
	}
	t.Cleanup(func() {
		for _, name := range []string{"data", "restored"} {
			_ = c.try("pg_ctl --pgdata=" + dir + "/" + name + " --mode=immediate stop")
		}
		_ = os.RemoveAll(dir)
	})
	c.sh("initdb --pgdata=" + dir + "/data --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 && mkdir -p " + dir + "/backups/wal")
	settings := strings.ReplaceAll(example(t, "backup.md", "conf"), "/var/backups/muster", dir+"/backups")
	own := fmt.Sprintf("port = %s\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n", c.port, dir)
	file, err := os.OpenFile(dir+"/data/postgresql.conf", os.O_APPEND|os.O_WRONLY, 0)
	c.must(err)
	_, err = file.WriteString(settings + own)
	c.must(err)
	c.must(file.Close())
	return c
}

func (c *cluster) start(name string) {
	c.Helper()
	c.sh("pg_ctl --pgdata=" + c.dir + "/" + name + " --log=" + c.dir + "/" + name + ".log --wait start")
}

// block is the commands of docs/backup.md in which a word stands, for the places and the moment of the test.
func (c *cluster) block(word string, with map[string]string) string {
	c.Helper()
	for _, p := range pages(c.T) {
		for _, b := range p.blocks {
			if p.name == "docs/backup.md" && b.language == "sh" && strings.Contains(b.text, word) {
				text := strings.NewReplacer("/var/backups/muster", c.dir+"/backups", "/var/lib/postgresql/restored", c.dir+"/restored").Replace(b.text)
				return exchange(text, with)
			}
		}
	}
	c.Fatalf("docs/backup.md has no commands with %s", word)
	return ""
}

// sh runs commands as the user that PostgreSQL wants.
func (c *cluster) sh(commands string) {
	c.Helper()
	if err := c.try(commands); err != nil {
		log, _ := os.ReadFile(c.dir + "/restored.log")
		c.Fatalf("%s\n%v\n%s", commands, err, log)
	}
}

func (c *cluster) try(commands string) error {
	words := []string{"bash", "-ec", commands}
	if os.Getuid() == 0 {
		words = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"}, words...)
	}
	command := exec.Command(words[0], words[1:]...)
	command.Dir = c.dir
	command.Env = []string{"PATH=" + c.programs + ":/usr/bin:/bin", "PGHOST=" + c.dir, "PGPORT=" + c.port, "PGUSER=postgres", "LANG=C.UTF-8"}
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (c *cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}
