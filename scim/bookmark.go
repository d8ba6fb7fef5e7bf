package scim

import (
	"sync"
	"time"

	"muster/domain"
)

// bookmarks remember where the page of a list ended, for clients that walk it by startIndex in order:
// the next page then begins there instead of being counted off from the beginning, and skips and repeats nothing.
// They are a process's own; a page without one is found by its index.
type bookmarks struct {
	clock func() time.Time
	mutex sync.Mutex
	marks map[bookmarkKey]bookmark
}

type bookmarkKey struct {
	org         domain.OrgID
	fingerprint string
	startIndex  int
}

type bookmark struct {
	at   domain.Position
	made time.Time
	// total is kept where counting means looking at every resource; nil where it is cheap.
	total *int
}

const (
	// bookmarkLifetime is how long after a page the next one may be asked for.
	bookmarkLifetime = 2 * time.Minute
	maxBookmarks     = 10_000
)

// open begins the page at its bookmark, if there is one.
func (b *bookmarks) open(list *listRequest, scope domain.OrgScope) {
	if list.Offset == 0 || list.Count == 0 {
		return
	}
	b.mutex.Lock()
	mark, ok := b.marks[bookmarkKey{scope.Org(), list.fingerprint, list.startIndex}]
	b.mutex.Unlock()
	if ok && b.clock().Sub(mark.made) < bookmarkLifetime {
		list.From, list.Offset, list.Total = &mark.at, 0, mark.total
	}
}

// keep remembers where the page ended.
func (b *bookmarks) keep(list listRequest, scope domain.OrgScope, found page) {
	if !found.More || len(found.At) == 0 {
		return
	}
	mark := bookmark{at: found.At[len(found.At)-1], made: b.clock()}
	if found.Scanned {
		mark.total = &found.Total
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.marks) >= maxBookmarks {
		b.forget()
	}
	b.marks[bookmarkKey{scope.Org(), list.fingerprint, list.startIndex + len(found.Items)}] = mark
}

// forget drops what is too old, or everything when nothing is.
func (b *bookmarks) forget() {
	for key, mark := range b.marks {
		if b.clock().Sub(mark.made) >= bookmarkLifetime {
			delete(b.marks, key)
		}
	}
	if len(b.marks) >= maxBookmarks {
		clear(b.marks)
	}
}
