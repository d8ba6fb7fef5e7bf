// Command demo is the server with a demo identity provider in the same process, for trying Muster out.
// The production binary has no such provider.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"muster/cmd/internal/config"
	"muster/cmd/internal/server"
	"muster/domain"
	"muster/internal/demoidp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run starts the provider and the server and waits for both to stop.
func run(ctx context.Context) error {
	data := cmpOr(os.Getenv("MUSTER_DEMO_DATA"), ".data")
	if err := os.MkdirAll(data, 0o700); err != nil { //nolint:gosec // whoever starts the demo names the folder
		return err
	}
	listener, err := listen(ctx, cmpOr(os.Getenv("LISTEN_ADDRESS"), "127.0.0.1:8080"))
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	publicURL := "http://localhost" + address[strings.LastIndexByte(address, ':'):]
	provider, err := startProvider(ctx, data, publicURL)
	if err != nil {
		return err
	}
	cfg, err := configuration(data, address, publicURL, provider)
	if err != nil {
		return err
	}
	// The console of a demo shows the address and the people; the log goes to a file beside the data.
	logFile, err := os.OpenFile(filepath.Join(data, "demo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // beside the data
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	return server.Run(ctx, cfg, server.Options{
		Log:   slog.New(slog.NewTextHandler(logFile, nil)),
		Ready: func(service *domain.Service) error { return introduce(ctx, service, data, publicURL) },
	})
}

func cmpOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// listen takes the wanted port, or any free one when it is taken.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return config.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return listener, err
}

// provider is the demo identity provider as the server needs to know it.
type provider struct{ issuer, clientID, clientSecret string }

// startProvider serves the demo identity provider on its own loopback port until ctx ends.
func startProvider(ctx context.Context, data, publicURL string) (provider, error) {
	listener, err := listen(ctx, "127.0.0.1:8081")
	if err != nil {
		return provider{}, err
	}
	p := provider{issuer: "http://" + listener.Addr().String(), clientID: "muster", clientSecret: rand.Text()}
	idp, err := demoidp.New(demoidp.Config{
		Issuer: p.issuer, ClientID: p.clientID, ClientSecret: p.clientSecret,
		RedirectURIs: []string{publicURL + "/api/v1/oauth/" + domain.ProviderOIDC + "/callback"},
		People:       demoidp.DefaultPeople(), KeyFile: filepath.Join(data, "idp-key.pem"),
	})
	if err != nil {
		return provider{}, err
	}
	web := &http.Server{Handler: idp.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = web.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = web.Close() })
	return p, nil
}

// configuration takes nothing but the database from the environment, so that the demo is the same everywhere.
func configuration(data, address, publicURL string, p provider) (*config.Config, error) {
	return config.Load(config.Sources{
		Getenv: func(name string) (string, bool) {
			if name == "DATABASE_URL" || strings.HasPrefix(name, "FF_") {
				return os.LookupEnv(name)
			}
			return "", false
		},
		Flags: withoutDatabase(map[string]string{
			"listen": address, "config.hostname": publicURL,
			"config.databaseUrl":          "sqlite://" + filepath.Join(data, "muster.db"),
			"config.initialOrgAdminEmail": "ada@example.com",
			"config.oauth.oauthIssuerUrl": p.issuer, "config.oauth.oauthClientId": p.clientID,
			"config.oauth.oauthClientSecret": p.clientSecret, "config.oauth.displayName": "the demo identity provider",
			"config.oauth.overrideTokenExpiry": "true",
		}),
	})
}

// withoutDatabase lets DATABASE_URL in the environment choose another database than the demo's own.
func withoutDatabase(flags map[string]string) map[string]string {
	if os.Getenv("DATABASE_URL") != "" {
		delete(flags, "config.databaseUrl")
	}
	return flags
}
