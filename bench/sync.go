package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"sync/atomic"
	"time"
)

// A first synchronization has a group to a hundred people, and everybody is in three groups.
const (
	peoplePerGroup = 100
	groupsPerUser  = 3
	// bulkGroups is how many groups one Bulk creates.
	bulkGroups = 10
)

func firstSync() measurement {
	return measurement{
		report: report{
			title: "First synchronization into an empty organization: users, then groups with their members.\n" +
				"Without Bulk: POST for every user and group, then one PATCH that adds the group's members. With Bulk: 1,000 users, 10 groups a request.",
			header: []string{"engine", "users, groups, memberships", "way", "clients", "time", "requests", "requests/s", "users/s"},
		},
		measure: measureSync,
	}
}

func measureSync(ctx context.Context, o options, e engine, r *report) error {
	for _, way := range []struct {
		name    string
		clients int
		run     func(*synchronization, context.Context) error
	}{
		{"one by one", 1, (*synchronization).oneByOne},
		{"one by one", 16, (*synchronization).oneByOne},
		{"Bulk", 1, (*synchronization).inBulk},
	} {
		log.Printf("%s, sync: %s, %d clients", e.name, way.name, way.clients)
		s := &synchronization{users: o.syncUsers, groups: max(o.syncUsers/peoplePerGroup, 1), clients: way.clients}
		took, err := s.onEmpty(ctx, o, e, way.run)
		cells := []string{e.name, s.size(), way.name, fmt.Sprint(way.clients)}
		if errors.Is(err, errNoBulk) {
			r.add(append(cells, err.Error())...)
			continue
		}
		if err != nil {
			return err
		}
		requests := s.requests.Load()
		r.add(append(cells, inMinutes(took), fmt.Sprint(requests),
			fmt.Sprintf("%.0f", float64(requests)/took.Seconds()), fmt.Sprintf("%.0f", float64(s.users)/took.Seconds()))...)
	}
	return nil
}

// inMinutes writes minutes and, for the short ones, seconds.
func inMinutes(d time.Duration) string {
	return fmt.Sprintf("%.2f min (%.1f s)", d.Minutes(), d.Seconds())
}

// synchronization is one first synchronization.
type synchronization struct {
	*target

	users, groups, clients int
	requests               atomic.Int64
}

func (s *synchronization) size() string {
	return thousands(s.users) + ", " + thousands(s.groups) + ", " + thousands(s.users*groupsPerUser)
}

// onEmpty runs it against a new server.
func (s *synchronization) onEmpty(ctx context.Context, o options, e engine, run func(*synchronization, context.Context) error) (time.Duration, error) {
	database, drop, err := e.newDatabase(ctx)
	if err != nil {
		return 0, err
	}
	defer drop()
	target, stop, err := startServer(ctx, o, database)
	if err != nil {
		return 0, err
	}
	defer stop()
	s.target = target
	s.ids = make([]string, s.users)
	return timed(func() error { return run(s, ctx) })
}

func (s *synchronization) oneByOne(ctx context.Context) error {
	err := s.each(ctx, s.users, func(ctx context.Context, n int) error {
		var err error
		s.ids[n], err = s.createUser(ctx)
		s.requests.Add(1)
		return err
	})
	if err != nil {
		return err
	}
	return s.each(ctx, s.groups, func(ctx context.Context, n int) error {
		id, err := s.createGroup(ctx, groupName(n), nil)
		if err != nil {
			return err
		}
		s.requests.Add(2)
		return s.patch(ctx, id, "add", s.membersOf(n))
	})
}

// each runs do for 0 to n-1, on as many clients as there are.
func (s *synchronization) each(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	parallel(s.clients, func() {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if err := do(ctx, i); err != nil {
				cancel(err)
			}
		}
	})
	return context.Cause(ctx)
}

func (s *synchronization) inBulk(ctx context.Context) error {
	people := make([]string, s.users)
	for i := range people {
		people[i] = userBody(userName(i + 1))
	}
	s.ids = nil
	for some := range slices.Chunk(people, bulkOperations) {
		ids, err := s.bulk(ctx, "/Users", some)
		if err != nil {
			return err
		}
		s.requests.Add(1)
		s.ids = append(s.ids, ids...)
	}
	groups := make([]string, s.groups)
	for i := range groups {
		var err error
		if groups[i], err = groupBody(groupName(i), s.membersOf(i)); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(groups, bulkGroups) {
		if _, err := s.bulk(ctx, "/Groups", some); err != nil {
			return err
		}
		s.requests.Add(1)
	}
	return nil
}

// membersOf are the people of the n-th group: the groups share out everybody as many times as a person has groups.
func (s *synchronization) membersOf(n int) []string {
	each := s.users * groupsPerUser / s.groups
	members := make([]string, min(each, s.users))
	for i := range members {
		members[i] = s.ids[(n*each+i)%s.users]
	}
	return members
}

func groupName(n int) string { return fmt.Sprintf("group %06d", n) }
