package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"
)

// world is a running server with one organization of a known size.
type world struct {
	*target

	engine string
	// users are numbered from 1; those from 2 on have the ids of memberID.
	users int
	// firstReady and ready are the times from start to ready with an empty database and with the people in it.
	firstReady, ready time.Duration
}

// openWorld makes a database, fills it while the server is stopped, and starts the server on it; call close in the end.
func openWorld(ctx context.Context, o options, e engine, users int) (*world, func(), error) {
	log.Printf("%s: filling %s people", e.name, thousands(users))
	database, drop, err := e.newDatabase(ctx)
	if err != nil {
		return nil, nil, err
	}
	target, stop, err := startServer(ctx, o, database)
	if err != nil {
		drop()
		return nil, nil, err
	}
	w := &world{target: target, engine: e.name, users: users, firstReady: target.ready}
	closeWorld := func() {
		stop()
		drop()
	}
	if err := w.fillWorld(ctx, e, database); err != nil {
		closeWorld()
		return nil, nil, err
	}
	return w, closeWorld, nil
}

func (w *world) fillWorld(ctx context.Context, e engine, database string) error {
	id, err := w.createUser(ctx)
	if err != nil {
		return err
	}
	w.process.stop()
	begun := time.Now()
	if err := fillPeople(ctx, e, database, id, w.users); err != nil {
		return err
	}
	log.Printf("%s: filled in %s", e.name, time.Since(begun).Round(time.Millisecond))
	if w.ready, err = w.process.start(ctx); err != nil {
		return err
	}
	w.next.Store(int64(w.users))
	return w.check(ctx)
}

// check finds out whether the server sees the people as the filler wrote them.
func (w *world) check(ctx context.Context) error {
	answer, err := sendFor(ctx, http.MethodGet, w.base+"/scim/v2/Users?count=1", w.bearer, "", http.StatusOK)
	if err != nil {
		return err
	}
	var list struct{ TotalResults int }
	if err := json.Unmarshal(answer, &list); err != nil {
		return err
	}
	if list.TotalResults != w.users {
		return fmt.Errorf("the server counts %d people, not the %d filled in", list.TotalResults, w.users)
	}
	return send(ctx, http.MethodGet, w.base+"/scim/v2/Users/"+memberID(w.users), w.bearer, "", http.StatusOK)
}

// anybody is the number of one of the people filled in.
func (w *world) anybody() int { return 2 + pick(w.users-1) }

// somebody is a path of a User among those filled in.
func (w *world) somebody() string { return w.base + "/scim/v2/Users/" + memberID(w.anybody()) }

// memberIDs are the ids of the n people from number first on.
func memberIDs(first, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = memberID(first + i)
	}
	return ids
}
