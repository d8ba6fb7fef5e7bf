package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"muster/domain"
	"muster/internal/idpcheck"
)

type idpCheckCommand struct {
	Provider  string        `arg:"" enum:"okta,entra" help:"Whose conversation: okta or entra."`
	URL       string        `required:"" help:"SCIM base URL as it is entered at the provider." placeholder:"URL"`
	Token     string        `env:"SCIM_TOKEN" help:"SCIM token; better from SCIM_TOKEN or --token-file, which the process list does not show." placeholder:"TOKEN"`
	TokenFile string        `help:"File that holds the token; - is standard input." placeholder:"FILE"`
	Domain    string        `default:"example.com" help:"Domain of the test people's addresses." placeholder:"DOMAIN"`
	Timeout   time.Duration `default:"30s" help:"How long one answer may take." placeholder:"DURATION"`
	JSON      bool          `name:"json" help:"Print one JSON document instead of lines."`
}

// errNotFit ends the command with a failure after its report.
var errNotFit = errors.New("the provider would not get along with this server; the lines above that begin with \"failed\" say why")

// Run plays the conversation and prints one line for each step, and fails when one of them did.
func (c idpCheckCommand) Run(env environment) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	results := []idpcheck.Result{}
	summary, err := idpcheck.Run(env, idpcheck.Config{Provider: c.Provider, URL: c.URL, Token: token, Domain: c.Domain, Timeout: c.Timeout}, func(r idpcheck.Result) {
		results = append(results, r)
		if !c.JSON {
			_, _ = fmt.Fprintln(env.stdout, resultLine(r))
		}
	})
	if refused, ok := errors.AsType[*idpcheck.RefusedError](err); ok {
		return domain.Invalidf("", "%s", refused)
	}
	if c.JSON {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(map[string]any{"provider": c.Provider, "url": c.URL, "results": results, "summary": summary}); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(env.stdout, "%s: %d passed, %d warnings, %d failed, %d skipped\n", c.Provider, summary.Passed, summary.Warnings, summary.Failed, summary.Skipped)
	}
	for _, left := range summary.Left {
		_, _ = fmt.Fprintf(env.stderr, "muster: not removed: %s\n", left)
	}
	return idpCheckError(summary, err)
}

func idpCheckError(summary idpcheck.Summary, err error) error {
	switch {
	case errors.Is(err, idpcheck.ErrUnreachable):
		return domain.Errorf(domain.Unavailable, "%v", err)
	case err != nil:
		return domain.Errorf(domain.Internal, "interrupted; %s", leftWords(summary))
	case summary.Failed > 0:
		return errNotFit
	}
	return nil
}

func leftWords(summary idpcheck.Summary) string {
	if len(summary.Left) == 0 {
		return "everything that was made has been removed"
	}
	return fmt.Sprintf("%d things that were made, or may have been, are named above", len(summary.Left))
}

// token reads it from where it was given.
func (c idpCheckCommand) token() (string, error) {
	if c.TokenFile == "" {
		return c.Token, nil
	}
	source := io.Reader(os.Stdin)
	if c.TokenFile != "-" {
		file, err := os.Open(c.TokenFile)
		if err != nil {
			return "", domain.Invalidf("", "the token's file: %v", err)
		}
		defer func() { _ = file.Close() }()
		source = file
	}
	text, err := io.ReadAll(io.LimitReader(source, 64<<10))
	if err != nil {
		return "", domain.Invalidf("", "the token's file: %v", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func resultLine(r idpcheck.Result) string {
	line := fmt.Sprintf("%-8s %-30s %s", r.Level, r.Item, r.Tries)
	if r.Expected != "" {
		line += ": expected " + r.Expected + "; came " + r.Came
	}
	if r.Meaning != "" {
		line += " — " + r.Meaning
	}
	return line
}
