package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
	"muster/internal/testkit/badidp"
)

// The examples of docs/forward-auth.md, run as they stand there, with only the addresses exchanged.
func TestReverseProxies(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string, map[string]string) string{"nginx": startNginx, "caddyfile": startCaddy} {
		t.Run(name, func(t *testing.T) {
			application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				_, _ = fmt.Fprintf(w, "%s %s user=%s email=%s org=%s role=%s permissions=%s upgrade=%s body=%s", r.Method, r.URL.Path, r.Header.Get("X-Muster-User"),
					r.Header.Get("X-Muster-Email"), r.Header.Get("X-Muster-Org"), r.Header.Get("X-Muster-Org-Role"), r.Header.Get("X-Muster-Permissions"), r.Header.Get("Upgrade"), body)
			}))
			t.Cleanup(application.Close)
			idp := badidp.New(t)
			proxyAddress := freeAddress(t)
			env := []string{
				"DATABASE_URL=sqlite://" + t.TempDir() + "/muster.db", "HOSTNAME_URL=http://" + proxyAddress, "BASE_PATH=/muster", "RETURN_PATHS=/",
				"OAUTH_ISSUER_URL=" + idp.Issuer(), "OAUTH_CLIENT_ID=" + badidp.ClientID, "OAUTH_CLIENT_SECRET=" + badidp.ClientSecret,
			}
			server := testkit.Start(t, testkit.Program{Path: testkit.Build(t, "./cmd/muster"), Args: []string{"serve"}, Env: env})
			key := strings.TrimSpace(muster(t, env, "key", "create", "--email", "ada@example.com"))
			base := start(t, example(t, "forward-auth.md", name), map[string]string{
				"127.0.0.1:8080": strings.TrimPrefix(strings.TrimSuffix(server.URL, "/muster"), "http://"), "127.0.0.1:9000": application.Listener.Addr().String(), "ADDRESS": proxyAddress,
			})
			testProxy(t, base, key)
			revoked(t, base, key)
		})
	}
}

// ask sends a request through the proxy and returns the status, the place it leads to, and the body.
func ask(t *testing.T, method, address, body string, header map[string]string) (int, string, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Location"), string(text)
}

func testProxy(t *testing.T, base, key string) {
	t.Helper()
	status, location, _ := ask(t, http.MethodGet, base+"/app/page", "", map[string]string{"Accept": "text/html"})
	if status != http.StatusFound || !strings.Contains(location, "/muster/sign-in?return_to=/app/page") {
		t.Errorf("a browser without a session: %d to %q", status, location)
	}
	// The proxy passes what a client sends; what counts is what Muster says.
	forged := map[string]string{"X-Api-Key": key, "X-Muster-User": "somebody", "X-Muster-Org-Role": "ORGANIZATION_ADMIN", "X-Muster-Workspace": "w"}
	status, _, body := ask(t, http.MethodPost, base+"/app/page", "a body", forged)
	if status != http.StatusOK || !strings.Contains(body, "POST /app/page") || !strings.Contains(body, "email=ada@example.com") || !strings.Contains(body, "role=ORGANIZATION_USER") ||
		!strings.Contains(body, "body=a body") || strings.Contains(body, "somebody") {
		t.Errorf("with a key: %d %s", status, body)
	}
	forged["X-Tenant-Id"] = "01a20869-0000-7000-8000-000000000000"
	if status, _, body := ask(t, http.MethodGet, base+"/app/page", "", forged); status != http.StatusForbidden {
		t.Errorf("a workspace that the caller is not in: %d %s", status, body)
	}
	if status, _, _ := ask(t, http.MethodGet, base+"/app/page", "", map[string]string{"X-Api-Key": "muster_pat_wrong"}); status != http.StatusUnauthorized && status != http.StatusFound {
		t.Errorf("a wrong key: %d", status)
	}
	if status, _, body := ask(t, http.MethodGet, base+"/muster/api/v1/ok", "", nil); status != http.StatusOK {
		t.Errorf("Muster itself: %d %s", status, body)
	}
}

// revoked ends the key: the next request through the proxy is refused.
func revoked(t *testing.T, base, key string) {
	t.Helper()
	status, _, list := ask(t, http.MethodGet, base+"/muster/api/v1/orgs/current/personal-access-tokens", "", map[string]string{"X-Api-Key": key})
	id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(list)
	if status != http.StatusOK || id == nil {
		t.Fatalf("%d %s", status, list)
	}
	if status, _, body := ask(t, http.MethodDelete, base+"/muster/api/v1/orgs/current/personal-access-tokens/"+id[1], "", map[string]string{"X-Api-Key": key}); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, _, _ := ask(t, http.MethodGet, base+"/app/page", "", map[string]string{"X-Api-Key": key}); status != http.StatusUnauthorized && status != http.StatusFound {
		t.Errorf("a key that was ended: %d", status)
	}
}

// example cuts the first block in a language out of a document.
func example(t *testing.T, document, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + document)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```"+language+"\n")
	block, _, _ := strings.Cut(after, "```")
	if !found {
		t.Fatalf("%s has no example for %s", document, language)
	}
	return block
}

func exchange(text string, with map[string]string) string {
	for from, to := range with {
		text = strings.ReplaceAll(text, from, to)
	}
	return text
}

func startNginx(t *testing.T, block string, with map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	block = exchange(block, map[string]string{"listen 80;": "listen " + with["ADDRESS"] + ";"})
	config := fmt.Sprintf("daemon off;\nmaster_process off;\nerror_log %[1]s/error.log;\npid %[1]s/pid;\nevents {}\nhttp {\naccess_log off;\nclient_body_temp_path %[1]s/body;\nproxy_temp_path %[1]s/proxy;\nfastcgi_temp_path %[1]s/f;\nuwsgi_temp_path %[1]s/u;\nscgi_temp_path %[1]s/s;\n%[2]s}\n", dir, exchange(block, with))
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx"
	}
	return startProxy(t, with["ADDRESS"], exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", file))
}

func startCaddy(t *testing.T, block string, with map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	block = "{\nadmin off\n}\n" + exchange(block, map[string]string{"apps.example.com {": "http://" + with["ADDRESS"] + " {"})
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(exchange(block, with)), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "caddy", "run", "--config", file, "--adapter", "caddyfile")
	command.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return startProxy(t, with["ADDRESS"], command)
}

// startProxy waits until the proxy listens.
func startProxy(t *testing.T, address string, command *exec.Cmd) string {
	t.Helper()
	var said strings.Builder
	command.Stdout, command.Stderr, command.WaitDelay = &said, &said, time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	for range 200 {
		if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
			_ = conn.Close()
			return "http://" + address
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	t.Fatalf("the proxy does not listen: %s", said.String())
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
