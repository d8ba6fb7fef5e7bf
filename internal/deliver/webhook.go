package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"muster/domain"
	"muster/internal/trace"
)

// eventBody is what a hook receives (Standard Webhooks: type, timestamp, data).
type eventBody struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	ID             domain.AuditID     `json:"id"`
	Sequence       int64              `json:"sequence"`
	OrganizationID domain.OrgID       `json:"organization_id"`
	WorkspaceID    domain.WorkspaceID `json:"workspace_id,omitempty"`
	Operation      string             `json:"operation"`
	Actor          eventParty         `json:"actor"`
	Target         eventParty         `json:"target"`
	Before         map[string]any     `json:"before"`
	After          map[string]any     `json:"after"`
}

type eventParty struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

func bodyOf(org domain.OrgID, e domain.Event) ([]byte, error) {
	return json.Marshal(eventBody{e.Type, e.At, eventData{
		ID: e.ID, Sequence: e.Seq, OrganizationID: org, WorkspaceID: e.Workspace, Operation: e.Operation,
		Actor:  eventParty{string(e.Actor.Kind), e.Actor.ID, e.Actor.Name},
		Target: eventParty{e.Target.Kind, e.Target.ID, e.Target.Name}, Before: e.Before, After: e.After,
	}})
}

// Send delivers one event to a hook, signed with each of its secrets; anything but a 2xx answer is an error.
func (d *Deliverer) Send(ctx context.Context, hook domain.EventHook, event domain.Event) error {
	body, err := bodyOf(hook.Org, event)
	if err != nil {
		return err
	}
	return d.SendBody(ctx, hook, string(event.ID), body)
}

// SendBody delivers a body that was made before, such as a dead letter's.
func (d *Deliverer) SendBody(ctx context.Context, hook domain.EventHook, id string, body []byte) error {
	secrets, err := d.Service.HookSecrets(hook, d.Clock())
	if err != nil {
		return err
	}
	return post(ctx, d.client, hook.URL, "application/json", message{id, d.Clock(), body}, secrets)
}

// message is what Standard Webhooks signs.
type message struct {
	id   string
	at   time.Time
	body []byte
}

// sign returns the value of webhook-signature: a version and a MAC for every secret, with spaces between.
func (m message) sign(secrets []domain.Secret) (string, error) {
	var signatures []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
		if err != nil {
			return "", errors.New("a webhook's secret is whsec_ and base64")
		}
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%d.", m.id, m.at.Unix())
		_, _ = mac.Write(m.body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

// post sends a signed message; what the receiver says is not looked at, but for its status.
func post(ctx context.Context, client *http.Client, to, contentType string, m message, secrets []domain.Secret) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(m.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "Muster")
	request.Header.Set("Webhook-Id", m.id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(m.at.Unix(), 10))
	if len(secrets) > 0 {
		signature, err := m.sign(secrets)
		if err != nil {
			return err
		}
		request.Header.Set("Webhook-Signature", signature)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the receiver answered %d", response.StatusCode)
	}
	return nil
}

// newClient follows no redirects and dials no address that only this machine or its network's plumbing answers at:
// whoever manages an organization must not reach through the server what they cannot reach themselves.
func newClient(loopback bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return mayDial(address, loopback)
	}}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	return &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     trace.Transport{Next: transport, Target: "receiver", Propagate: true},
	}
}

// mayDial is asked with the address that a name has led to.
func mayDial(address string, loopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && loopback:
		return nil
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsInterfaceLocalMulticast():
		return fmt.Errorf("events are not sent to %s", ip)
	default:
		return nil
	}
}
