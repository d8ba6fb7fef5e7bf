package main_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"muster/internal/testkit"
)

// F2: what many clients see of the same groups, through two processes where the database allows it, is what they would see one after the other.
func TestGroupsAreLinearizable(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) { groupsAreLinearizable(t, databaseURL, 2000) })
}

// members is a set of people by their numbers, as bits.
type members uint32

// groupState is what the model knows of a group; its version rises by one with every change that changes something.
type groupState struct {
	version int
	members members
}

// groupCall is one request about a group: GET, or a PATCH that adds, removes or replaces members.
type groupCall struct {
	group   int
	op      string
	members members
	// ifMatch is the version that the group must have; 0 for any.
	ifMatch int
}

// groupAnswer is what came back; unknown says that nothing did, so that the change may have happened or not.
type groupAnswer struct {
	unknown, refused bool
	groupState
}

// after is the state that a call leaves.
func (c groupCall) after(s groupState) groupState {
	changed := s.members
	switch c.op {
	case "add":
		changed |= c.members
	case "remove":
		changed &^= c.members
	case "replace":
		changed = c.members
	}
	if changed == s.members {
		return s
	}
	return groupState{s.version + 1, changed}
}

// groupModel is the specification: one group after the other, each a version and a set.
func groupModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			var parts [][]porcupine.Operation
			for _, operation := range history {
				group := operation.Input.(groupCall).group
				for len(parts) <= group {
					parts = append(parts, nil)
				}
				parts[group] = append(parts[group], operation)
			}
			return parts
		},
		Init: func() any { return groupState{version: 1} },
		Step: func(state, input, output any) (bool, any) {
			before, call, answer := state.(groupState), input.(groupCall), output.(groupAnswer)
			stale := call.ifMatch != 0 && call.ifMatch != before.version
			if stale || answer.refused {
				return stale && (answer.refused || answer.unknown), before
			}
			after := call.after(before)
			switch {
			case answer.unknown:
				return true, after
			case call.op == "get":
				return answer.groupState == before, before
			default:
				return answer.version == after.version, after
			}
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// The model finds a lost update and a stale read; without that it proves nothing.
func TestTheModelFindsLostUpdates(t *testing.T) {
	add := func(n members) groupCall { return groupCall{op: "add", members: n} }
	done := func(version int, n members) groupAnswer {
		return groupAnswer{groupState: groupState{version, n}}
	}
	operation := func(client int, begun, ended int64, call groupCall, answer groupAnswer) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Call: begun, Return: ended, Input: call, Output: answer}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"both updates are there": {[]porcupine.Operation{
			operation(0, 1, 4, add(1), done(2, 0)), operation(1, 2, 3, add(2), done(3, 0)), operation(0, 5, 6, groupCall{op: "get"}, done(3, 3)),
		}, true},
		"one update is lost": {[]porcupine.Operation{
			operation(0, 1, 4, add(1), done(2, 0)), operation(1, 2, 3, add(2), done(2, 0)), operation(0, 5, 6, groupCall{op: "get"}, done(2, 2)),
		}, false},
		"an update is seen too late": {[]porcupine.Operation{
			operation(0, 1, 2, add(1), done(2, 0)), operation(1, 3, 4, groupCall{op: "get"}, done(1, 0)),
		}, false},
		"a stale change is taken": {[]porcupine.Operation{
			operation(0, 1, 2, add(1), done(2, 0)), operation(1, 3, 4, groupCall{op: "add", members: 2, ifMatch: 1}, done(3, 0)),
		}, false},
		"nobody knows whether it happened": {[]porcupine.Operation{
			operation(0, 1, math.MaxInt64, add(1), groupAnswer{unknown: true}), operation(1, 2, 3, groupCall{op: "get"}, done(1, 0)),
		}, true},
	} {
		if got := porcupine.CheckOperations(groupModel(), c.history); got != c.want {
			t.Errorf("%s: taken as right: %v", name, got)
		}
	}
}

// groupWorld is some groups and people, and the processes through which they are seen.
type groupWorld struct {
	testing.TB

	clients []scimClient
	groups  []string
	people  []string
	// number is the place of a person's id in people.
	number map[string]int
}

func groupsAreLinearizable(t *testing.T, databaseURL string, operations int) {
	t.Helper()
	w := newGroupWorld(t, databaseURL)
	seed := uint64(time.Now().UnixNano())
	const workers = 16
	histories := make([][]porcupine.Operation, workers)
	var wait sync.WaitGroup
	begun := time.Now()
	for i := range workers {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			versions := make([]int, len(w.groups))
			for range operations / workers {
				call := w.draw(random, versions)
				called := time.Since(begun).Nanoseconds()
				answer := w.ask(w.clients[random.IntN(len(w.clients))], call)
				returned := time.Since(begun).Nanoseconds()
				if answer.unknown {
					returned = math.MaxInt64
				} else if !answer.refused {
					versions[call.group] = answer.version
				}
				histories[i] = append(histories[i], porcupine.Operation{ClientId: i, Input: call, Output: answer, Call: called, Return: returned})
			}
		})
	}
	wait.Wait()
	var history []porcupine.Operation
	for _, part := range histories {
		history = append(history, part...)
	}
	result, info := porcupine.CheckOperationsVerbose(groupModel(), history, time.Minute)
	if result == porcupine.Ok {
		return
	}
	file := filepath.Join("..", "..", "bin", fmt.Sprintf("groups-%d.html", seed))
	t.Errorf("seed %d: %d operations are %s; %s shows them (%v)", seed, len(history), result, file, porcupine.VisualizePath(groupModel(), info, file))
}

func newGroupWorld(t *testing.T, databaseURL string) *groupWorld {
	t.Helper()
	_, one := serve(t, databaseURL)
	w := &groupWorld{TB: t, clients: []scimClient{one}, number: map[string]int{}}
	if strings.HasPrefix(databaseURL, "postgres:") {
		_, two := serve(t, databaseURL)
		w.clients = append(w.clients, two)
	}
	create := func(path, body string) string {
		status, made, err := one.do(t.Context(), http.MethodPost, path, body)
		if err != nil || status != http.StatusCreated {
			t.Fatalf("POST %s: %d %v %v", path, status, made, err)
		}
		return fmt.Sprint(made["id"])
	}
	for i := range 3 {
		w.groups = append(w.groups, create("/Groups", groupBody(fmt.Sprint("Group ", i))))
	}
	for i := range 20 {
		id := create("/Users", userBody(fmt.Sprintf("user%d@example.com", i)))
		w.people, w.number[id] = append(w.people, id), i
	}
	return w
}

// draw makes a call up; versions are the last that this client has seen of each group.
func (w *groupWorld) draw(random *rand.Rand, versions []int) groupCall {
	call := groupCall{group: random.IntN(len(w.groups))}
	one := members(1) << random.IntN(len(w.people))
	switch n := random.IntN(10); {
	case n < 3:
		call.op = "get"
		return call
	case n < 6:
		call.op, call.members = "add", one
	case n < 9:
		call.op, call.members = "remove", one
	default:
		call.op, call.members = "replace", members(random.Uint32N(1<<len(w.people)))
	}
	if random.IntN(4) == 0 {
		call.ifMatch = versions[call.group]
	}
	return call
}

// ask sends a call; what is neither done nor refused for its version fails the test.
func (w *groupWorld) ask(client scimClient, call groupCall) groupAnswer {
	method, body, header := http.MethodGet, "", http.Header{}
	if call.op != "get" {
		method, body = http.MethodPatch, patch(`{"op":"`+call.op+`","path":"members","value":[`+w.values(call.members)+`]}`)
	}
	if call.ifMatch != 0 {
		header.Set("If-Match", fmt.Sprintf(`W/"%d"`, call.ifMatch))
	}
	response, raw, err := client.send(w.Context(), method, "/Groups/"+w.groups[call.group], body, header)
	if err != nil {
		return groupAnswer{unknown: true}
	}
	switch response.StatusCode {
	case http.StatusPreconditionFailed:
		return groupAnswer{refused: true}
	case http.StatusOK, http.StatusNoContent:
		return w.read(response.Header.Get("ETag"), raw)
	default:
		w.Errorf("%s %+v: %d %s", method, call, response.StatusCode, raw)
		return groupAnswer{unknown: true}
	}
}

// values are the members as a PATCH names them.
func (w *groupWorld) values(set members) string {
	var values []string
	for i, id := range w.people {
		if set&(1<<i) != 0 {
			values = append(values, `{"value":"`+id+`"}`)
		}
	}
	return strings.Join(values, ",")
}

// read reads the version from the ETag and the members from the body, if there is one.
func (w *groupWorld) read(etag string, body []byte) groupAnswer {
	version, err := strconv.Atoi(strings.Trim(etag, `W/"`))
	if err != nil {
		w.Errorf("ETag %q: %v", etag, err)
	}
	answer := groupAnswer{groupState: groupState{version: version}}
	if len(body) == 0 {
		return answer
	}
	var group struct{ Members []struct{ Value string } }
	if err := json.Unmarshal(body, &group); err != nil {
		w.Errorf("%v in %s", err, body)
	}
	for _, member := range group.Members {
		answer.members |= 1 << w.number[member.Value]
	}
	return answer
}
