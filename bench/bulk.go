package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"path"
	"strings"
	"time"
)

// bulkOperations is how many operations one Bulk holds.
const bulkOperations = 1000

// errNoBulk says that the server has no Bulk.
var errNoBulk = errors.New("not supported")

func bulk() measurement {
	return measurement{
		report: report{
			title:  "Bulk: 1,000 creates, one client, best / median of 5 in turns. Wanted: one Bulk at least 3 times as fast.",
			header: []string{"engine", "users", "one after the other", "one Bulk", "ratio"},
		},
		measure: measureBulk,
	}
}

func measureBulk(ctx context.Context, o options, e engine, r *report) error {
	w, done, err := openWorld(ctx, o, e, o.usersOr(10_000))
	if err != nil {
		return err
	}
	defer done()
	var single, bulk times
	for n := range 5 {
		log.Printf("%s, bulk: round %d", e.name, n+1)
		took, err := timed(func() error { return w.createSingly(ctx, bulkOperations) })
		if err != nil {
			return err
		}
		single = append(single, took)
		took, err = timed(func() error { return w.createInBulk(ctx, bulkOperations) })
		if errors.Is(err, errNoBulk) {
			r.add(e.name, thousands(w.users), ms(single[0]), err.Error(), "-")
			return nil
		}
		if err != nil {
			return err
		}
		bulk = append(bulk, took)
	}
	single, bulk = single.and(nil), bulk.and(nil)
	r.add(e.name, thousands(w.users), ms(single[0])+" / "+ms(single.median()), ms(bulk[0])+" / "+ms(bulk.median()),
		ratio(single[0], bulk[0])+" / "+ratio(single.median(), bulk.median()))
	return nil
}

func timed(do func() error) (time.Duration, error) {
	begun := time.Now()
	err := do()
	return time.Since(begun), err
}

func (t *target) createSingly(ctx context.Context, n int) error {
	for range n {
		if _, err := t.createUser(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) createInBulk(ctx context.Context, n int) error {
	people := make([]string, n)
	for i := range people {
		people[i] = userBody(userName(int(t.next.Add(1))))
	}
	_, err := t.bulk(ctx, "/Users", people)
	return err
}

// bulk creates resources with one Bulk and returns their ids in order; errNoBulk where there is no Bulk.
func (t *target) bulk(ctx context.Context, endpoint string, resources []string) ([]string, error) {
	operations := make([]string, len(resources))
	for i, resource := range resources {
		operations[i] = fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":"b%d","data":%s}`, endpoint, i, resource)
	}
	body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations, ",") + `]}`
	answer, status, err := t.postBulk(ctx, body)
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK:
		return created(answer, len(resources))
	case http.StatusNotImplemented, http.StatusNotFound, http.StatusMethodNotAllowed:
		return nil, errNoBulk
	}
	return nil, fmt.Errorf("POST /Bulk: status %d: %.300s", status, answer)
}

func (t *target) postBulk(ctx context.Context, body string) (answer []byte, status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+"/scim/v2/Bulk", strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header = t.bearer
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return answer, response.StatusCode, err
}

// created reads the ids of a Bulk's answer, all of whose operations must have succeeded.
func created(answer []byte, want int) ([]string, error) {
	var bulk struct {
		Operations []struct {
			Status   string
			Location string
			Response json.RawMessage
		}
	}
	if err := json.Unmarshal(answer, &bulk); err != nil {
		return nil, err
	}
	if len(bulk.Operations) != want {
		return nil, fmt.Errorf("POST /Bulk: %d answers to %d operations", len(bulk.Operations), want)
	}
	ids := make([]string, want)
	for i, operation := range bulk.Operations {
		if operation.Status != "201" {
			return nil, fmt.Errorf("POST /Bulk: operation %d: status %s: %.300s", i, operation.Status, operation.Response)
		}
		ids[i] = path.Base(operation.Location)
	}
	return ids, nil
}
