package main_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"muster/cmd/internal/config"
	main "muster/cmd/muster"
	"muster/internal/testkit"
)

// TestConfigurationReference compares docs/configuration.md with the settings.
func TestConfigurationReference(t *testing.T) {
	var text strings.Builder
	group := ""
	for _, s := range config.Reference() {
		if of := groupOf(s.Key); of != group {
			group = of
			fmt.Fprintf(&text, "\n## %s\n\n| Key and environment | Default | Meaning |\n|---|---|---|\n", group)
		}
		where := "`" + s.Key + "`"
		for _, name := range s.Environment {
			where += "<br>`" + name + "`"
		}
		meaning := s.Meaning
		if s.Allowed != "" && s.Default != "true" && s.Default != "false" {
			meaning += "<br>" + strings.ToUpper(s.Allowed[:1]) + s.Allowed[1:]
		}
		if s.Secret {
			meaning += "<br>Secret: masked wherever it is shown"
		}
		fmt.Fprintf(&text, "| %s | %s | %s |\n", where, code(s.Default), cell(meaning))
	}
	testkit.CompareReference(t, "docs/configuration.md", text.String())
}

// groupOf is the heading under which a key stands.
func groupOf(key string) string {
	headings := []struct{ prefix, heading string }{
		{"config.oauth.", "Identity providers"},
		{"config.providers", "Identity providers"},
		{"config.encryptionKey", "Sessions and secrets"},
		{"config.signInRate", "Sessions and secrets"},
		{"config.returnPaths", "Sessions and secrets"},
		{"config.session.", "Sessions and secrets"},
		{"config.admin", "The admin API"},
		{"config.audit.", "The audit log"},
		{"config.smtp.", "Mail"},
		{"config.scim.", "Provisioning"},
	}
	for _, h := range headings {
		if strings.HasPrefix(key, h.prefix) {
			return h.heading
		}
	}
	if words := strings.Split(key, "."); len(words) > 2 {
		return strings.ToUpper(words[1][:1]) + words[1][1:]
	}
	return "The server"
}

// code is a text as code.
func code(text string) string {
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}

// cell keeps a text within its cell.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<muster@example.com>", "&lt;muster@example.com&gt;", "\n", " ").Replace(text)
}

// TestCommandLineReference compares docs/command-line.md with the command line.
func TestCommandLineReference(t *testing.T) {
	model, err := main.Model()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("\n## Exit codes\n\n| Code | Means |\n|---|---|\n")
	for number, meaning := range main.ExitCodes() {
		fmt.Fprintf(&text, "| %d | %s |\n", number, meaning)
	}
	text.WriteString("\n## For every command\n\n| | |\n|---|---|\n")
	writeRows(&text, model.Flags)
	for _, command := range model.Children {
		writeCommand(&text, command)
	}
	testkit.CompareReference(t, "docs/command-line.md", text.String())
}

// writeCommand writes a command, or each of those below it.
func writeCommand(text *strings.Builder, command *kong.Node) {
	if len(command.Children) > 0 {
		for _, below := range command.Children {
			writeCommand(text, below)
		}
		return
	}
	line := command.FullPath()
	fmt.Fprintf(text, "\n## %s\n\n%s\n", line, command.Help)
	needed := line
	for _, argument := range command.Positional {
		needed += " " + argument.Summary()
	}
	for _, flag := range command.Flags {
		if flag.Required {
			needed += " --" + flag.Name + "=" + flag.PlaceHolder
		}
	}
	if needed != line {
		fmt.Fprintf(text, "\n`%s`\n", needed)
	}
	if len(command.Positional) > 0 || len(command.Flags) > 0 {
		text.WriteString("\n| | |\n|---|---|\n")
	}
	for _, argument := range command.Positional {
		fmt.Fprintf(text, "| `%s` | %s |\n", argument.Summary(), cell(argument.Help))
	}
	writeRows(text, command.Flags)
}

// writeRows writes a line of a table for each flag.
func writeRows(text *strings.Builder, flags []*kong.Flag) {
	for _, flag := range slices.SortedFunc(slices.Values(flags), func(a, b *kong.Flag) int { return cmp.Compare(a.Name, b.Name) }) {
		if flag.Hidden {
			continue
		}
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = "-" + string(flag.Short) + ", " + name
		}
		if !flag.IsBool() {
			name += "=" + cmp.Or(flag.PlaceHolder, strings.ToUpper(flag.Name))
		}
		help := cell(flag.Help)
		if flag.HasDefault {
			help += " Default: `" + flag.Default + "`."
		}
		fmt.Fprintf(text, "| `%s` | %s |\n", name, help)
	}
}
