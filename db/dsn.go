package db

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/domain"
)

// pooledOption in the URL says that a pooler stands between that hands a connection to another client after each transaction.
// Prepared statements would then meet a connection that does not know them.
const pooledOption = "muster_transaction_pooler"

// dsn is how to reach PostgreSQL.
type dsn struct {
	text   string
	pooled bool
	// patience is how long the server may stay silent.
	patience time.Duration
}

// postgresDSN turns what follows "postgres://" into the driver's key=value form, with our defaults where the URL is silent.
// The driver itself cannot read a URL with several hosts that have ports of their own.
// name is what the connections are called on the server; a name in the URL comes after it.
func postgresDSN(rest, name string) (dsn, error) {
	rest, query, _ := strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")
	settings := map[string]string{
		"connect_timeout":                     "2",
		"statement_timeout":                   "5000",
		"lock_timeout":                        "2000",
		"idle_in_transaction_session_timeout": "10000",
		"application_name":                    name,
		// Database files lie on disks without a moving head nowadays; the default makes the planner shun indexes.
		"random_page_cost": "1.1",
		// One round trip for a statement with arguments instead of two.
		"binary_parameters": "yes",
	}
	if err := readAuthority(settings, authority); err != nil {
		return dsn{}, err
	}
	if err := unescape(settings, "dbname", database); err != nil {
		return dsn{}, err
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return dsn{}, unreadable()
	}
	for key := range values {
		settings[key] = values.Get(key)
	}
	if given := values.Get("application_name"); given != "" {
		settings["application_name"] = name + " " + given
	}
	pooled := settings[pooledOption] == "yes"
	delete(settings, pooledOption)
	patience, err := patienceFor(settings["statement_timeout"])
	if err != nil {
		return dsn{}, err
	}
	escape := strings.NewReplacer(`'`, `\'`, `\`, `\\`)
	parts := make([]string, 0, len(settings))
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		parts = append(parts, key+"='"+escape.Replace(settings[key])+"'")
	}
	return dsn{text: strings.Join(parts, " "), pooled: pooled, patience: patience}, nil
}

// readAuthority reads user:password@host:port,host:port; an IPv6 address stands in brackets.
func readAuthority(settings map[string]string, authority string) error {
	hosts := authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		hosts = authority[at+1:]
		if err := unescape(settings, "user", user); err != nil {
			return err
		}
		if err := unescape(settings, "password", password); err != nil {
			return err
		}
	}
	if hosts == "" {
		return nil
	}
	var names, ports []string
	for one := range strings.SplitSeq(hosts, ",") {
		host, port := one, "5432"
		if colon := strings.LastIndexByte(one, ':'); colon > strings.LastIndexByte(one, ']') {
			host, port = one[:colon], one[colon+1:]
		}
		names, ports = append(names, strings.Trim(host, "[]")), append(ports, port)
	}
	settings["port"] = strings.Join(ports, ",")
	return unescape(settings, "host", strings.Join(names, ","))
}

func unescape(settings map[string]string, key, escaped string) error {
	value, err := url.PathUnescape(escaped)
	if err != nil {
		return unreadable()
	}
	if value != "" {
		settings[key] = value
	}
	return nil
}

// patienceFor leaves the server the time that a statement may take, and some for the way.
func patienceFor(statementTimeout string) (time.Duration, error) {
	milliseconds, err := strconv.ParseUint(statementTimeout, 10, 31)
	if err != nil || milliseconds == 0 {
		return 0, domain.Invalidf("database_url", "statement_timeout in the PostgreSQL URL is a number of milliseconds above 0")
	}
	return time.Duration(milliseconds)*time.Millisecond + 2*time.Second, nil
}

func unreadable() error {
	return domain.Invalidf("database_url", "the PostgreSQL URL has a wrong percent escape")
}
