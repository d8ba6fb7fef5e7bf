package scim_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/domain"
	"muster/scim"
)

// fetch asks the token endpoint.
func (w *world) fetch(form url.Values, header ...string) (int, map[string]any) {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, scim.TokenPath, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.server(scim.Limits{}).TokenEndpoint().ServeHTTP(recorder, r)
	var body map[string]any
	w.must(json.Unmarshal(recorder.Body.Bytes(), &body))
	return recorder.Code, body
}

// S95: a SCIM token's id and secret become an access token, which lasts an hour and ends with the SCIM token.
func TestClientCredentials(t *testing.T) {
	onEngines(t, func(w *world) {
		token, secret, err := w.service.CreateSCIMToken(t.Context(), w.commandLine(""), domain.NewSCIMToken{Description: "Entra"})
		w.must(err)
		grant := url.Values{"grant_type": {"client_credentials"}, "client_id": {string(token.ID)}, "client_secret": {string(secret)}}
		status, body := w.fetch(grant)
		if status != http.StatusOK || body["token_type"] != "Bearer" || body["expires_in"] != 3600.0 {
			w.Fatalf("%d %v", status, body)
		}
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(string(token.ID)+":"+string(secret)))
		status, again := w.fetch(url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic)
		if status != http.StatusOK || again["access_token"] == body["access_token"] {
			w.Errorf("by Basic: %d %v", status, again)
		}
		w.secret, _ = body["access_token"].(string)
		w.create("ann@x.test")
		w.clock.Advance(time.Hour)
		w.refused(http.StatusUnauthorized, "", "GET", "/Users", "")
		_, body = w.fetch(grant)
		w.secret, _ = body["access_token"].(string)
		w.ok(http.StatusOK, "GET", "/Users", "")
		w.must(w.service.Sweep(t.Context()))
		w.must(w.service.DeleteSCIMToken(t.Context(), w.commandLine(""), token.ID))
		w.refused(http.StatusUnauthorized, "", "GET", "/Users", "")
		for name, c := range map[string]struct {
			form   url.Values
			header []string
			status int
			error  string
		}{
			"the token is gone":  {grant, nil, 401, "invalid_client"},
			"a wrong secret":     {url.Values{"grant_type": {"client_credentials"}, "client_id": {string(token.ID)}, "client_secret": {"x"}}, nil, 401, "invalid_client"},
			"no such client":     {url.Values{"grant_type": {"client_credentials"}, "client_id": {"x"}, "client_secret": {"x"}}, nil, 401, "invalid_client"},
			"no client":          {url.Values{"grant_type": {"client_credentials"}}, nil, 400, "invalid_request"},
			"two ways at once":   {grant, []string{"Authorization", basic}, 400, "invalid_request"},
			"another grant":      {url.Values{"grant_type": {"password"}}, nil, 400, "unsupported_grant_type"},
			"a body of a friend": {url.Values{"grant_type": {strings.Repeat("x", 10_000)}}, nil, 400, "invalid_request"},
		} {
			if status, body := w.fetch(c.form, c.header...); status != c.status || body["error"] != c.error {
				w.Errorf("%s: %d %v", name, status, body)
			}
		}
	})
}

// S23: /Me is the holder of a personal access token, and nobody for a SCIM token.
func TestMe(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		_, personal, err := w.service.CreatePersonalTokenFor(t.Context(), w.commandLine(""), "ann@x.test", false, "hers")
		w.must(err)
		got := w.ok(http.StatusOK, "GET", "/Me?attributes=userName", "", "Authorization", "Bearer "+string(personal))
		if got.body["id"] != ann || got.body["userName"] != "ann@x.test" || got.header.Get("Location") != publicURL+"/scim/v2/Users/"+ann || got.body["name"] != nil {
			w.Errorf("%v %s", got.header, got.text)
		}
		w.refused(http.StatusMethodNotAllowed, "", "DELETE", "/Me", "", "Authorization", "Bearer "+string(personal))
		w.refused(http.StatusUnauthorized, "", "GET", "/Users/"+ann, "", "Authorization", "Bearer "+string(personal))
		w.devices()
		w.ok(http.StatusOK, "PATCH", "/Users/"+ann, patch(`{"op":"add","path":"`+badgeURN+`:level","value":3}`))
		if got := w.ok(http.StatusOK, "GET", "/Me", "", "Authorization", "Bearer "+string(personal)); dig(got.body, badgeURN, "level") != 3.0 {
			w.Errorf("a declared attribute: %s", got.text)
		}
		w.refused(http.StatusNotImplemented, "", "GET", "/Me", "")
		_, stranger, err := w.service.CreatePersonalTokenFor(t.Context(), w.commandLine(""), "bob@x.test", false, "his")
		w.must(err)
		w.refused(http.StatusNotFound, "", "GET", "/Me", "", "Authorization", "Bearer "+string(stranger))
	})
}

// S1: discovery without a token, where the operator allows it, says nothing of any organization.
func TestOpenDiscovery(t *testing.T) {
	w := onSQLite(t)
	w.devices()
	w.handler = scim.New(scim.Config{Service: w.service, PublicURL: publicURL, OpenDiscovery: true, Clock: w.clock.Now})
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User"} {
		if got := w.ok(http.StatusOK, "GET", path, "", "Authorization", ""); strings.Contains(got.text, "Device") {
			t.Errorf("%s: %s", path, got.text)
		}
		w.refused(http.StatusUnauthorized, "", "GET", path, "", "Authorization", "Bearer wrong")
	}
	w.refused(http.StatusUnauthorized, "", "GET", "/Users", "", "Authorization", "")
	if got := w.ok(http.StatusOK, "GET", "/ResourceTypes", ""); !strings.Contains(got.text, "Device") {
		t.Errorf("with a token: %s", got.text)
	}
}

// S92, S69, S52: who asks too often is told when to come back, and others are not concerned.
func TestRates(t *testing.T) {
	w := onSQLite(t)
	w.handler = w.server(scim.Limits{TokenRate: 25})
	limited := 0
	for range 200 {
		got := w.send("GET", "/Users?count=0", "")
		if got.status == http.StatusTooManyRequests {
			limited++
			w.isError(got, http.StatusTooManyRequests, "", "the rate")
			if got.header.Get("Retry-After") != "1" {
				t.Fatalf("Retry-After %q", got.header.Get("Retry-After"))
			}
		}
	}
	if limited == 0 || limited > 100 {
		t.Errorf("%d of 200 were refused", limited)
	}
	w.secret = w.token("")
	w.ok(http.StatusOK, "GET", "/Users?count=0", "")
}

// R25: a token that another process deleted is refused by the very next request, whatever it asks,
// although this process knew it a moment ago.
func TestTokenDeletedElsewhere(t *testing.T) {
	onEngines(t, func(w *world) {
		ann := w.create("ann@x.test")
		elsewhere := w.serviceWith(domain.Policy{})
		for _, path := range []string{
			"/Users/" + ann, "/Users/" + strings.Replace(ann, ann[:8], "00000000", 1), "/Users/x", "/Users", "/Users?count=0", "/Users?filter=nothing eq 1", "/Users?cursor=x",
			`/Users?filter=userName eq "ann@x.test"`, `/Users?filter=userName eq "nobody"`, `/Users?filter=title pr&count=0`, "/Users?sortBy=title", "/Users?startIndex=1000",
			"/Groups", "/Schemas", "/", "/nowhere",
		} {
			token, secret, err := w.service.CreateSCIMToken(t.Context(), w.commandLine(""), domain.NewSCIMToken{})
			w.must(err)
			bearer := []string{"Authorization", "Bearer " + string(secret)}
			w.ok(http.StatusOK, "GET", "/Users/"+ann, "", bearer...)
			before := w.send("GET", path, "", bearer...)
			w.must(elsewhere.DeleteSCIMToken(t.Context(), w.commandLine(""), token.ID))
			if before.status == http.StatusUnauthorized {
				w.Errorf("%s before: %s", path, before.text)
			}
			w.refused(http.StatusUnauthorized, "", "GET", path, "", bearer...)
		}
		w.refused(http.StatusUnauthorized, "", "GET", "/Users?access%5Ftoken=x", "")
	})
}

// O30-O32: what Okta's entitlement management reads, with its own URNs as declared types.
func TestOktaEntitlements(t *testing.T) {
	w := onSQLite(t)
	const role, entitlement = "urn:okta:scim:schemas:core:1.0:Role", "urn:okta:scim:schemas:core:1.0:Entitlement"
	w.declare(`{"schemas":[
		{"id":"` + role + `","name":"Role","attributes":[{"name":"displayName","required":true},{"name":"description"}]},
		{"id":"` + entitlement + `","name":"Entitlement","attributes":[{"name":"displayName","required":true},{"name":"type"},{"name":"description"}]}],
		"resourceTypes":[{"name":"Role","endpoint":"/Roles","schema":"` + role + `"},{"name":"Entitlement","endpoint":"/Entitlements","schema":"` + entitlement + `"}]}`)
	types := w.ok(http.StatusOK, "GET", "/ResourceTypes", "").text
	schemas := w.ok(http.StatusOK, "GET", "/Schemas", "").text
	for endpoint, urn := range map[string]string{"/Roles": role, "/Entitlements": entitlement} {
		if !strings.Contains(types, `"endpoint":"`+endpoint+`"`) || !strings.Contains(schemas, urn) {
			t.Errorf("%s is not discovered", endpoint)
		}
		for _, name := range []string{"Reader", "Writer"} {
			w.ok(http.StatusCreated, "POST", endpoint, `{"schemas":["`+urn+`"],"displayName":"`+name+`","description":"d"}`)
		}
		if got := w.ok(http.StatusOK, "GET", endpoint+"?count=1&startIndex=1", ""); got.body["itemsPerPage"] != 1.0 || got.body["totalResults"] != 2.0 {
			t.Errorf("%s", got.text)
		}
	}
	user := w.ok(http.StatusCreated, "POST", "/Users", userWith(`"userName":"ann","roles":[{"value":"r","display":"Reader","type":"x","primary":true}],"entitlements":[{"value":"e"}]`))
	if dig(user.body, "roles").([]any)[0].(map[string]any)["display"] != "Reader" || user.body["entitlements"] == nil {
		t.Errorf("%s", user.text)
	}
}

// S80: a mistake about one person does not block the others, and 25 requests a second are no reason to wait.
func TestOneMistakeBlocksNobody(t *testing.T) {
	w := onSQLite(t)
	for i := range 60 {
		name := strconv.Itoa(i) + "@x.test"
		if i%3 == 0 {
			w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", userWith(`"userName":"`+name+`","active":"perhaps"`))
			continue
		}
		w.create(name)
	}
	if got := w.ok(http.StatusOK, "GET", "/Users?count=0", ""); got.body["totalResults"] != 40.0 {
		t.Errorf("%s", got.text)
	}
}
