package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sources are where values come from besides the defaults.
type Sources struct {
	// File is the path of a YAML file; empty for none.
	File string
	// Getenv looks a name up in the environment.
	Getenv func(string) (string, bool)
	// Flags maps keys to values given on the command line.
	Flags map[string]string
}

// Load reads and checks the whole configuration.
func Load(sources Sources) (*Config, error) {
	c := &Config{values: map[string]value{}}
	for _, s := range settings() {
		c.values[s.key] = value{text: s.def, source: "default"}
	}
	if err := c.readFile(sources.File); err != nil {
		return nil, err
	}
	if err := c.readEnvironment(sources.Getenv); err != nil {
		return nil, err
	}
	for key, text := range sources.Flags {
		if _, known := c.values[key]; !known {
			return nil, fmt.Errorf("unknown key %q on the command line; \"muster config\" lists all keys", key)
		}
		c.values[key] = value{text, "flag"}
	}
	return c, c.apply()
}

func (c *Config) readEnvironment(getenv func(string) (string, bool)) error {
	for _, s := range settings() {
		for _, name := range s.env {
			text, source, found, err := lookup(getenv, name)
			if err != nil {
				return err
			}
			if found {
				c.values[s.key] = value{text, source}
				break
			}
		}
	}
	return nil
}

// lookup reads NAME, or the file that NAME_FILE names; giving both is an error because one of them would be ignored.
func lookup(getenv func(string) (string, bool), name string) (text, source string, found bool, err error) {
	text, found = getenv(name)
	found = found && text != "" // what an image sets can be blanked, but not taken away
	path, fromFile := getenv(name + "_FILE")
	switch {
	case found && fromFile:
		return "", "", false, fmt.Errorf("both %s and %s_FILE are set; set one of them", name, name)
	case fromFile:
		raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return "", "", false, fmt.Errorf("%s_FILE: %w", name, err)
		}
		return strings.TrimRight(string(raw), "\r\n"), "file " + path, true, nil
	case found:
		return text, "environment " + name, true, nil
	default:
		return "", "", false, nil
	}
}

// readFile reads the YAML file, whose keys are those of the Helm values.
func (c *Config) readFile(path string) error {
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("the configuration file: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(document.Content) == 0 {
		return nil
	}
	return c.readNode(path, "", document.Content[0])
}

// readNode walks the mapping down to the keys that settings know; anything else is an error that names the line.
func (c *Config) readNode(path, prefix string, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s line %d: %q must hold keys, not a single value", path, node.Line, prefix)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if prefix != "" {
			key = prefix + "." + key
		}
		if err := c.readKey(path, key, node.Content[i], node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) readKey(path, key string, at, node *yaml.Node) error {
	if _, known := c.values[key]; known {
		text, err := textOf(key, node)
		if err != nil {
			return fmt.Errorf("%s line %d: %s: %w", path, node.Line, key, err)
		}
		c.values[key] = value{text, fmt.Sprintf("%s line %d", path, node.Line)}
		return nil
	}
	for _, s := range settings() {
		if strings.HasPrefix(s.key, key+".") {
			return c.readNode(path, key, node)
		}
	}
	return fmt.Errorf("%s line %d: unknown key %q; \"muster config\" lists all keys", path, at.Line, key)
}

// textOf is the value as the environment would hold it.
func textOf(key string, node *yaml.Node) (string, error) {
	at := slices.IndexFunc(settings(), func(s setting) bool { return s.key == key })
	if !settings()[at].structured || node.Kind == yaml.ScalarNode {
		return scalar(node)
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	return string(text), err
}

// scalar turns a YAML value into the text that the environment would hold: lists with commas, mappings as JSON.
func scalar(node *yaml.Node) (string, error) {
	switch node.Kind { //nolint:exhaustive // the rest is an error
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return "", nil
		}
		return node.Value, nil
	case yaml.SequenceNode:
		var items []string
		if err := node.Decode(&items); err != nil {
			return "", errors.New("the list may hold plain values only")
		}
		return strings.Join(items, ","), nil
	case yaml.MappingNode:
		var pairs map[string]string
		if err := node.Decode(&pairs); err != nil {
			return "", errors.New("the mapping may hold plain values only")
		}
		text, err := json.Marshal(pairs)
		return string(text), err
	default:
		return "", errors.New("this kind of value is not allowed here")
	}
}
