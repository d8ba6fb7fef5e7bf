package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/domain"
)

// setting is one key of the file, its names in the environment, its default and its check.
type setting struct {
	key string
	// env are the names read, the first that is set wins; each can also be given as NAME_FILE.
	env    []string
	def    string
	help   string
	secret bool
	// structured values are lists or mappings of their own shape, kept as JSON.
	structured bool
	mask       func(string) string
	set        func(*Config, string) error
}

// settings is the reference of all that can be configured, in the order in which "muster config" prints it.
func settings() []setting {
	return slices.Concat([]setting{
		{key: "listen", env: []string{"LISTEN_ADDRESS"}, def: "127.0.0.1:8080", help: "address to listen on", set: setListen},
		{
			key: "config.shutdownDelaySec", env: []string{"SHUTDOWN_DELAY_SEC"}, def: "0",
			help: "seconds that a server goes on serving after it was told to stop, no longer ready, so that a load balancer notices; more than two of its checks take", set: setShutdownDelay,
		},
		{key: "config.hostname", env: []string{"HOSTNAME_URL", "LANGSMITH_URL"}, help: "public base URL, without the base path; without it the listening address", set: setHostname},
		{key: "config.basePath", env: []string{"BASE_PATH"}, help: "serve everything below this path", set: setBasePath},
		{
			key: "config.databaseUrl", env: []string{"DATABASE_URL"}, def: "sqlite://muster.db",
			help: "SQLite's file, or PostgreSQL; several hosts may be named", mask: maskURL, set: setDatabaseURL,
		},
		{key: "config.initialOrgAdminEmail", env: []string{"INITIAL_ORG_ADMIN_EMAIL"}, help: "who becomes the first Organization Admin", set: setAdminEmail},
		{key: "config.initialOrgName", env: []string{"INITIAL_ORG_NAME"}, def: "Default", help: "name of the first organization", set: name(func(c *Config) *string { return &c.Policy.InitialOrgName })},
		{key: "config.defaultWorkspaceName", env: []string{"DEFAULT_WORKSPACE_NAME"}, def: "Workspace 1", help: "name of its workspace", set: name(func(c *Config) *string { return &c.Policy.DefaultWorkspaceName })},
		{
			key: "config.userOrgCreationDisabled", env: []string{"FF_ORG_CREATION_DISABLED", "USER_ORG_CREATION_DISABLED", "ORG_CREATION_DISABLED"}, def: "true",
			help: "nobody creates organizations through API or console", set: flag(func(c *Config) *bool { return &c.Policy.OrgCreationDisabled }),
		},
		{
			key: "config.personalOrgsDisabled", env: []string{"FF_PERSONAL_ORGS_DISABLED", "PERSONAL_ORGS_DISABLED"}, def: "true",
			help: "no personal organization at first sign-in", set: flag(func(c *Config) *bool { return &c.Policy.PersonalOrgsDisabled }),
		},
		{
			key: "config.workspaceScopeOrgInvitesEnabled", env: []string{"FF_WORKSPACE_SCOPE_ORG_INVITES_ENABLED", "WORKSPACE_SCOPE_ORG_INVITES_ENABLED"}, def: "false",
			help: "workspace Admins may invite people to the organization", set: flag(func(c *Config) *bool { return &c.Policy.WorkspaceInvitesEnabled }),
		},
		{
			key: "config.selfHostedJitProvisioningEnabled", env: []string{"SELF_HOSTED_JIT_PROVISIONING_ENABLED"}, def: "true",
			help: "first-time users may join by signing in", set: flag(func(c *Config) *bool { return &c.Policy.JITEnabled }),
		},
		{key: "config.infoEndpointAuthRequired", env: []string{"FF_INFO_ENDPOINT_AUTH_REQUIRED"}, def: "false", help: "info asks for a credential", set: flag(func(c *Config) *bool { return &c.InfoAuthRequired })},
		{key: "config.patCreationDisabled", env: []string{"PAT_CREATION_DISABLED"}, def: "false", help: "nobody creates personal access tokens", set: flag(func(c *Config) *bool { return &c.Policy.PATCreationDisabled })},
		{key: "config.inviteExpiryDays", env: []string{"INVITE_EXPIRY_DAYS"}, def: "30", help: "days until an invite expires; 0 never", set: setInviteExpiry},
		{key: "config.logLevel", env: []string{"LOG_LEVEL"}, def: "info", help: "debug, info, warn or error", set: setLogLevel},
		{key: "config.logFormat", env: []string{"LOG_FORMAT"}, help: "text or json; without it text on a terminal and JSON otherwise", set: setLogFormat},
		{key: "config.trustedProxies", env: []string{"TRUSTED_PROXIES"}, help: "addresses or networks whose X-Forwarded-For is believed", set: setTrustedProxies},
	}, oauthSettings(), sessionSettings(), adminSettings(), auditSettings(), mailSettings(), scimSettings(), metricsSettings(), tracingSettings())
}

func plain(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		*field(c) = text
		return nil
	}
}

func name(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, text string) error {
		text = strings.TrimSpace(text)
		if text == "" || len(text) > 200 {
			return errors.New("a name has 1 to 200 characters")
		}
		*field(c) = text
		return nil
	}
}

func flag(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, text string) error {
		switch strings.ToLower(text) {
		case "true", "1", "yes", "on":
			*field(c) = true
		case "false", "0", "no", "off":
			*field(c) = false
		default:
			return errors.New("allowed are true and false")
		}
		return nil
	}
}

func optionalFlag(field func(*Config) *bool) func(*Config, string) error {
	set := flag(field)
	return func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		return set(c, text)
	}
}

func setListen(c *Config, text string) error {
	c.Listen = text
	return checkAddress(text)
}

func checkAddress(text string) error {
	if _, port, err := net.SplitHostPort(text); err != nil {
		return errors.New("an address is host:port, such as 127.0.0.1:8080 or :8080")
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("the port must be a number from 0 to 65535")
	}
	return nil
}

func setShutdownDelay(c *Config, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 300 {
		return errors.New("allowed are 0 to 300 seconds")
	}
	c.ShutdownDelay = time.Duration(n) * time.Second
	return nil
}

func setHostname(c *Config, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("a public URL is scheme and host, such as https://id.example.com; a path goes into config.basePath")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("https is required unless the host is this machine (localhost, 127.0.0.1, [::1])")
	}
	c.PublicURL = u.String()
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

func setBasePath(c *Config, text string) error {
	text = strings.TrimRight(text, "/")
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(text, "/") || u.Path != text || strings.Contains(text, "//") || strings.Contains(text, "..") {
		return errors.New("a base path starts with / and holds plain segments, such as /muster")
	}
	c.BasePath = text
	return nil
}

func setDatabaseURL(c *Config, text string) error {
	for _, scheme := range []string{"sqlite://", "postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok && rest != "" {
			c.DatabaseURL = text
			return nil
		}
	}
	return errors.New("allowed are sqlite://FILE and postgres://USER:PASSWORD@HOST/NAME")
}

// maskURL hides the password of a database URL.
func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "********"
	}
	return u.Redacted()
}

func setAdminEmail(c *Config, text string) error {
	if text != "" && !domain.IsEmail(text) {
		return errors.New("allowed is an e-mail address")
	}
	c.Policy.InitialAdminEmail = text
	return nil
}

func setInviteExpiry(c *Config, text string) error {
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > 3650 {
		return errors.New("allowed are 0 (never) to 3650 days")
	}
	c.Policy.InviteExpiry = time.Duration(days) * 24 * time.Hour
	return nil
}

func setIssuer(c *Config, text string) error {
	issuer, err := checkIssuer(text)
	c.OAuth.IssuerURL = issuer
	return err
}

func setScopes(c *Config, text string) error {
	c.OAuth.Scopes = splitScopes(text)
	return nil
}

func setSessionMax(c *Config, text string) error {
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return errSessionMax
	}
	c.OAuth.SessionMax, err = sessionMax(seconds)
	return err
}

// seconds reads a number of seconds between 0 and a day more than a week.
func seconds(field func(*Config) *time.Duration, least int) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 604800 || n > 0 && n < least {
			return fmt.Errorf("allowed are 0 and %d to 604800 seconds", least)
		}
		*field(c) = time.Duration(n) * time.Second
		return nil
	}
}

// setIdle has a floor, because "last seen" is written every few minutes only.
func setIdle(c *Config, text string) error {
	return seconds(func(c *Config) *time.Duration { return &c.Policy.SessionIdle }, 300)(c, text)
}

func setStepUp(c *Config, text string) error {
	return seconds(func(c *Config) *time.Duration { return &c.Policy.StepUpMaxAge }, 30)(c, text)
}

func setSubClaims(c *Config, text string) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &c.OAuth.SubClaimOverrides); err != nil {
		return errors.New(`this must be a JSON object such as {"https://login.example.com/": "oid"}`)
	}
	return nil
}

func setLogLevel(c *Config, text string) error {
	if err := c.LogLevel.UnmarshalText([]byte(text)); err != nil {
		return errors.New("allowed are debug, info, warn and error")
	}
	return nil
}

func setLogFormat(c *Config, text string) error {
	if text != "" && text != "text" && text != "json" {
		return errors.New("allowed are text and json")
	}
	c.LogFormat = text
	return nil
}

func setTrustedProxies(c *Config, text string) error {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, err := netip.ParseAddr(part)
			if err != nil {
				return errors.New("allowed are addresses and networks such as 10.0.0.0/8, commas between")
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix)
	}
	return nil
}
