package server

import (
	"log/slog"
	"os"
	"runtime/debug"

	"muster/cmd/internal/config"
)

// version and commit are stamped by the build: -ldflags "-X muster/cmd/internal/server.version=…".
var (
	version = "dev"
	commit  string //nolint:gochecknoglobals // the linker can set nothing else
)

// Version returns the version and the commit that the binary was built from; the commit may be empty.
func Version() (number, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok || commit != "" {
		return version, commit
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return version, revision
}

// NewLogger writes to standard error: text on a terminal, JSON otherwise, unless the format was chosen.
func NewLogger(cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "text" || cfg.LogFormat == "" && terminal(os.Stderr) {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

func terminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
