package main_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"muster/internal/testkit"
)

// A container's health check asks the server beside it, whatever it listens on and wherever requests go otherwise.
func TestReady(t *testing.T) {
	address := testkit.FreeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody listens there.
	proxy := "HTTP_PROXY=http://" + testkit.FreeAddress(t)
	expectReady(t, 3, "no server answers at "+address, proxy, "LISTEN_ADDRESS="+address)

	process := testkit.Start(t, testkit.Program{
		Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Address: "0.0.0.0:" + port,
		Env: []string{"DATABASE_URL=" + testkit.SQLite(t), "BASE_PATH=/muster"},
	})
	for _, listen := range []string{":" + port, "0.0.0.0:" + port, "[::]:" + port, address, "localhost:" + port} {
		expectReady(t, 0, "ready", proxy, "LISTEN_ADDRESS="+listen, "BASE_PATH=/muster")
	}
	if code := process.Stop(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
}

func TestReadySaysWhatIsWrong(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"status":"unavailable","failing":["database"]}`, http.StatusServiceUnavailable)
	}))
	defer server.Close()
	expectReady(t, 3, `the server is not ready: 503 Service Unavailable {"status":"unavailable","failing":["database"]}`, "LISTEN_ADDRESS="+server.Listener.Addr().String())
	expectReady(t, 2, "listen", "LISTEN_ADDRESS=8080")
}

// expectReady runs "muster ready" in an environment.
func expectReady(t *testing.T, code int, text string, env ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), testkit.Build(t, "./cmd/muster"), "ready")
	command.Env = env
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	_ = command.Run() // its exit code says it
	if got := command.ProcessState.ExitCode(); got != code || !strings.Contains(said.String(), text) {
		t.Errorf("muster ready with %v ended with %d: %s", env, got, said.String())
	}
}
