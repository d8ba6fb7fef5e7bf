package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"muster/domain"
)

// SCIM is what an operator can set about provisioning.
type SCIM struct {
	// DiscoveryAuthRequired makes discovery ask for a token, like everything else.
	DiscoveryAuthRequired bool
	// The bodies are in bytes.
	UserBody, GroupBody, BulkBody int64
	BulkOperations                int
	MaxResults                    int
	// The rates are in requests a second; zero is without limit.
	TokenRate, OrgRate float64
}

// scimSettings are the keys about provisioning.
func scimSettings() []setting {
	return []setting{
		{
			key: "config.scim.discoveryAuthRequired", env: []string{"SCIM_DISCOVERY_AUTH_REQUIRED"}, def: "true",
			help: "SCIM discovery asks for a token", set: flag(func(c *Config) *bool { return &c.SCIM.DiscoveryAuthRequired }),
		},
		{key: "config.scim.userBodyBytes", env: []string{"SCIM_USER_BODY_BYTES"}, def: "1048576", help: "largest body for /Users", set: bytes(func(c *Config) *int64 { return &c.SCIM.UserBody })},
		{key: "config.scim.groupBodyBytes", env: []string{"SCIM_GROUP_BODY_BYTES"}, def: "4194304", help: "largest body for /Groups", set: bytes(func(c *Config) *int64 { return &c.SCIM.GroupBody })},
		{key: "config.scim.bulkBodyBytes", env: []string{"SCIM_BULK_BODY_BYTES"}, def: "4194304", help: "largest body for /Bulk", set: bytes(func(c *Config) *int64 { return &c.SCIM.BulkBody })},
		{key: "config.scim.bulkOperations", env: []string{"SCIM_BULK_OPERATIONS"}, def: "1000", help: "most operations in one Bulk", set: count(10_000, func(c *Config) *int { return &c.SCIM.BulkOperations })},
		{key: "config.scim.maxResults", env: []string{"SCIM_MAX_RESULTS"}, def: "1000", help: "most resources on a page", set: count(10_000, func(c *Config) *int { return &c.SCIM.MaxResults })},
		{key: "config.scim.tokenRate", env: []string{"SCIM_TOKEN_RATE"}, def: "0", help: "requests a second of one token; 0 without limit", set: perSecond(func(c *Config) *float64 { return &c.SCIM.TokenRate })},
		{key: "config.scim.orgRate", env: []string{"SCIM_ORG_RATE"}, def: "0", help: "requests a second of one organization; 0 without limit", set: perSecond(func(c *Config) *float64 { return &c.SCIM.OrgRate })},
		{
			key: "config.scim.schemas", env: []string{"SCIM_SCHEMAS"}, help: "schemas that every organization has beside the standard ones, as RFC 7643 section 7 writes them",
			structured: true, set: structured(func(c *Config) any { return &c.Policy.Definitions.Schemas }),
		},
		{
			key: "config.scim.resourceTypes", env: []string{"SCIM_RESOURCE_TYPES"}, help: "resource types and extensions that every organization has, as RFC 7643 section 6 writes them",
			structured: true, set: structured(func(c *Config) any { return &c.Policy.Definitions.ResourceTypes }),
		},
	}
}

func bytes(field func(*Config) *int64) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1024 || n > 1<<30 {
			return errors.New("allowed are 1024 to 1073741824 bytes")
		}
		*field(c) = n
		return nil
	}
}

func count(most int, field func(*Config) *int) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("allowed are 1 to %d", most)
		}
		*field(c) = n
		return nil
	}
}

// perSecond has a floor, because identity providers count on 25 requests a second (S80).
func perSecond(field func(*Config) *float64) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n < 0 || n > 0 && n < 25 {
			return errors.New("allowed are 0 (no limit) and 25 or more requests a second, which Entra ID asks for")
		}
		*field(c) = n
		return nil
	}
}

// structured reads JSON, which is what a list of mappings in the file becomes; unknown keys are mistakes.
func structured(field func(*Config) any) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(field(c)); err != nil {
			return fmt.Errorf("a list as RFC 7643 writes it: %s", strings.TrimPrefix(err.Error(), "json: "))
		}
		return nil
	}
}

// checkDefinitions refuses declarations that make no sense, in the domain's words.
func (c *Config) checkDefinitions() error {
	c.Policy.Definitions = c.Policy.Definitions.WithDefaults()
	if err := c.Policy.Definitions.Validate(); err != nil {
		known := domain.AsError(err)
		return fmt.Errorf("config.scim.%s: %s", known.Field, known.Text)
	}
	return nil
}
