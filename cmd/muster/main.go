// Command muster is the user-management server and its command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"muster/cmd/internal/config"
	"muster/domain"
)

// The exit codes: a script, or a service manager, can tell what trying again would change.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnavailable = 3
	exitConflict    = 4
	exitNotFound    = 5
)

// exitCodes says what each means, in the help and in docs/command-line.md.
func exitCodes() []string {
	return []string{
		"done",
		exitFailed:      "failed, as the one line on standard error says",
		exitUsage:       "the command line, a setting or another input is wrong, and trying again changes nothing",
		exitUnavailable: "the database or a server cannot be reached at the moment: try again",
		exitConflict:    "something stands against it: what is there already, another server on the file, a damaged audit log",
		exitNotFound:    "what was named is not there",
	}
}

// exitCode is by what kind of thing went wrong.
func exitCode(kind domain.Kind) int {
	switch kind {
	case domain.Invalid, domain.TooLarge:
		return exitUsage
	case domain.Unavailable, domain.Unknown, domain.Limited:
		return exitUnavailable
	case domain.Conflict, domain.Stale, domain.Guarded:
		return exitConflict
	case domain.NotFound:
		return exitNotFound
	case domain.Internal, domain.Unauthenticated, domain.Forbidden, domain.StepUpNeeded:
		return exitFailed
	default:
		return exitFailed
	}
}

// commands is the whole command line; each command's Run stands in its own file.
type commands struct {
	Config      string            `help:"YAML file with the same keys as the Helm values." placeholder:"FILE"`
	Set         map[string]string `help:"Set one key, such as config.initialOrgName=Acme." placeholder:"KEY=VALUE"`
	Listen      string            `help:"Address to listen on." placeholder:"HOST:PORT"`
	DatabaseURL string            `name:"database-url" help:"sqlite://FILE or postgres://…" placeholder:"URL"`

	Serve    serveCommand       `cmd:"" default:"1" help:"Run the server (the default)."`
	Migrate  migrateCommand     `cmd:"" help:"Bring the database's schema up to date and stop."`
	Show     showCommand        `cmd:"" name:"config" help:"Print the configuration in force and where each value came from."`
	Token    tokenCommands      `cmd:"" help:"SCIM tokens, for identity providers."`
	Key      keyCommands        `cmd:"" help:"Personal access tokens, for people and their scripts."`
	Admin    adminCommands      `cmd:"" help:"Organization Admins."`
	Org      orgCommands        `cmd:"" help:"Organizations."`
	Session  sessionCommands    `cmd:"" help:"Signed-in browsers."`
	Provider providerCommands   `cmd:"" help:"Identity providers: which there are, and switching one off in an emergency."`
	Explain  explainCommand     `cmd:"" help:"Say what a person may do in an organization, and why."`
	Mapping  mappingCommands    `cmd:"" help:"What pushed groups give."`
	Guard    guardCommands      `cmd:"" help:"The guard against mass deprovisioning."`
	Audit    auditCommands      `cmd:"" help:"The audit log."`
	Backup   backupCommand      `cmd:"" help:"Write everything into one file, while servers run."`
	Restore  restoreCommand     `cmd:"" help:"Fill the configured database, which must be empty, from a backup."`
	Move     migrateDataCommand `cmd:"" name:"migrate-data" help:"Copy everything from one database into another, such as from SQLite to PostgreSQL."`
	Doctor   doctorCommand      `cmd:"" help:"Check the configuration, the database and every identity provider, without changing anything."`
	IDP      idpCheckCommand    `cmd:"" name:"idp-check" help:"Play an identity provider's whole provisioning conversation against a SCIM server and say what it would make of the answers."`
	Ready    readyCommand       `cmd:"" help:"Ask the running server whether it is ready, as a container's health check."`
	Reseal   resealCommand      `cmd:"" help:"Seal stored tokens with the first key of config.encryptionKey, so that the others can be thrown away."`
	Version  versionCommand     `cmd:"" help:"Print the version."`
}

// environment is what a command runs in.
type environment struct {
	context.Context //nolint:containedctx // kong hands commands one value

	stdout io.Writer
	stderr io.Writer
	config func() (*config.Config, error)
	// file is the configuration file's name; empty for none.
	file string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// newParser reads the command line into parsed.
func newParser(parsed *commands, options ...kong.Option) (*kong.Kong, error) {
	about := "User management for self-hosted applications: OpenID Connect, SCIM and an admin API.\n\nExit codes:"
	for code, meaning := range exitCodes() {
		about += fmt.Sprintf("\n  %d  %s", code, meaning)
	}
	return kong.New(parsed, append(options, kong.Name("muster"), kong.Description(about))...)
}

// run parses the arguments, runs the command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var parsed commands
	exited := -1
	parser, err := newParser(&parsed, kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		return fail(stderr, err)
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "muster: %v; \"muster --help\" lists what there is\n", err)
		return exitUsage
	}
	env := environment{Context: ctx, stdout: stdout, stderr: stderr, config: parsed.load, file: parsed.Config}
	if err := chosen.Run(env); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// load reads the configuration with the flags that were given.
func (c *commands) load() (*config.Config, error) {
	flags := map[string]string{}
	for key, text := range c.Set {
		flags[key] = text
	}
	if c.Listen != "" {
		flags["listen"] = c.Listen
	}
	if c.DatabaseURL != "" {
		flags["config.databaseUrl"] = c.DatabaseURL
	}
	loaded, err := config.Load(config.Sources{File: c.Config, Getenv: os.LookupEnv, Flags: flags})
	if err != nil {
		return nil, &configError{err}
	}
	return loaded, nil
}

// configError is a configuration that cannot be used.
type configError struct{ error }

func (e *configError) Unwrap() error { return e.error }

// fail prints one line that says what went wrong and returns the exit code.
func fail(stderr io.Writer, err error) int {
	if wrong, ok := errors.AsType[*configError](err); ok {
		_, _ = fmt.Fprintf(stderr, "muster: configuration: %v\n", wrong)
		return exitUsage
	}
	text, code := err.Error(), exitFailed
	if known, ok := errors.AsType[*domain.Error](err); ok {
		text, code = known.Text, exitCode(known.Kind)
		if cause := errors.Unwrap(known); cause != nil {
			text += ": " + cause.Error()
		}
	}
	_, _ = fmt.Fprintf(stderr, "muster: %s\n", text)
	return code
}
