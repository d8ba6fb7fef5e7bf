package scim

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"muster/domain"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// refPrefix begins a value that stands for the id of a resource that another operation creates (RFC 7644 section 3.7.2).
const refPrefix = "bulkId:"

// process runs the operations in their order; one whose references are not created yet waits until they are.
// Circles are made without the references that close them, which are put in as soon as they are known.
func (b *bulk) process(ctx context.Context) {
	defer b.abandon(ctx)
	pending := slices.Clone(b.operations)
	for len(pending) > 0 && !b.over(ctx) {
		before := len(pending)
		pending = b.pass(ctx, pending)
		if len(pending) == before && !b.breakCircle(ctx, pending) {
			for _, op := range pending {
				if b.over(ctx) {
					return
				}
				b.fail(op, scimerr.New(scimerr.InvalidValue, "bulkId", "the references go in a circle in which nothing is created"))
			}
			return
		}
		pending = slices.DeleteFunc(pending, func(op *bulkOperation) bool { return op.result != nil })
	}
}

// abandon takes back what was created without its references when the end came before they could be put in;
// such an operation counts as not run.
func (b *bulk) abandon(ctx context.Context) {
	for _, op := range b.operations {
		if op.incomplete {
			_ = op.in.remove(context.WithoutCancel(ctx), b.request.scope, op.id, 0)
			op.result = nil
		}
	}
}

// over reports whether nothing more is to be run: too many errors, or nobody waits for the answer.
func (b *bulk) over(ctx context.Context) bool {
	return b.most > 0 && b.errors >= b.most || ctx.Err() != nil
}

// pass runs what can run and returns what waits.
func (b *bulk) pass(ctx context.Context, pending []*bulkOperation) []*bulkOperation {
	var waiting []*bulkOperation
	for i := 0; i < len(pending) && !b.over(ctx); i++ {
		if wave := b.wave(pending[i:]); len(wave) > 1 {
			b.together(ctx, wave)
			i += len(wave) - 1
			continue
		}
		op := pending[i]
		ready, err := b.ready(op)
		switch {
		case err != nil:
			b.fail(op, err)
		case !ready:
			waiting = append(waiting, op)
		default:
			b.run(ctx, op, b.resolved(op.data))
			b.complete(ctx)
		}
	}
	return waiting
}

// atOnce is how many creates run at the same time.
const atOnce = 8

// wave returns the creates of users at the beginning that have nothing to do with each other: they may run at the same time,
// which lets them share the wait for the disk. With failOnErrors they may not, because what comes after the last error must not happen.
func (b *bulk) wave(pending []*bulkOperation) []*bulkOperation {
	if b.most > 0 {
		return nil
	}
	taken := map[string]bool{}
	for i, op := range pending {
		keys, ok := plainCreate(op)
		if !ok || slices.ContainsFunc(keys, func(key string) bool { return taken[key] }) {
			return pending[:i]
		}
		for _, key := range keys {
			taken[key] = true
		}
	}
	return pending
}

// plainCreate returns what must be unique about a user to be created; ok is false for any other operation.
func plainCreate(op *bulkOperation) (keys []string, ok bool) {
	data, isObject := op.data.(map[string]any)
	if op.method != http.MethodPost || op.bulkID == "" || len(op.refs) > 0 || !isObject || !schema.EqualNames(strings.TrimSuffix(op.path, "/"), "/Users") {
		return nil, false
	}
	for name, value := range data {
		switch {
		case schema.EqualNames(name, "userName"), schema.EqualNames(name, "externalId"), schema.EqualNames(name, "emails"):
			keys = append(keys, textsIn(value)...)
		case strings.HasPrefix(name, "urn:") && !schema.EqualNames(name, domain.EnterpriseURN):
			return nil, false // a declared attribute may have to be unique
		}
	}
	return slices.DeleteFunc(keys, func(key string) bool { return key == "work" || key == "home" || key == "other" }), true
}

// textsIn returns every text in a value, folded.
func textsIn(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{domain.Fold(v)}
	case []any:
		var all []string
		for _, element := range v {
			all = append(all, textsIn(element)...)
		}
		return all
	case map[string]any:
		return textsIn(slices.Collect(maps.Values(v)))
	default:
		return nil
	}
}

// together runs operations at the same time; their results are counted in order.
func (b *bulk) together(ctx context.Context, wave []*bulkOperation) {
	type answered struct {
		result outcome
		shown  bool
		err    error
	}
	answers := make([]answered, len(wave))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, op := range wave {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() == nil {
				answers[i].result, answers[i].shown, answers[i].err = b.call(ctx, op, op.data)
			}
		})
	}
	wait.Wait()
	for i, op := range wave {
		if answers[i].err != nil || answers[i].result.status != 0 { // others were not begun, because nobody waits any more
			b.settle(ctx, op, answers[i].result, answers[i].shown, answers[i].err)
		}
	}
}

// ready reports whether all that the operation refers to is there; a reference that never will be is an error.
func (b *bulk) ready(op *bulkOperation) (bool, error) {
	for _, ref := range op.refs {
		target := b.byID[ref]
		switch {
		case target == nil:
			return false, scimerr.New(scimerr.InvalidValue, "bulkId", "no operation creates %s", scimerr.Quote(refPrefix+ref))
		case target.result != nil && target.result.failed:
			return false, scimerr.New(scimerr.InvalidValue, "bulkId", "the operation that should create %s failed", scimerr.Quote(refPrefix+ref))
		case target.id == "", target.incomplete && strings.Contains(op.path, refPrefix+ref):
			return false, nil
		}
	}
	return true, nil
}

// breakCircle creates the first resource that waits, without what it waits for; false when none can be created.
func (b *bulk) breakCircle(ctx context.Context, pending []*bulkOperation) bool {
	for _, op := range pending {
		if op.method != http.MethodPost {
			continue
		}
		data, _ := b.without(b.resolved(op.data), true)
		b.run(ctx, op, data)
		op.incomplete = !op.result.failed
		b.complete(ctx)
		return true
	}
	return false
}

// complete puts in the references of resources that were created without them, as soon as all are known.
func (b *bulk) complete(ctx context.Context) {
	for _, op := range b.operations {
		if !op.incomplete {
			continue
		}
		ready, err := b.ready(op)
		if err == nil && !ready {
			continue
		}
		op.incomplete = false
		again := &bulkOperation{index: op.index, method: http.MethodPut, path: op.path + "/" + op.id, data: op.data, in: op.in, id: op.id}
		if err == nil {
			b.run(ctx, again, b.resolved(op.data))
		}
		switch {
		case err != nil:
			b.undo(ctx, op, err)
		case again.result.failed:
			b.errors-- // counted once, below
			b.undo(ctx, op, domain.Invalidf("bulkId", "its references cannot be put in: %s", again.result.failure().Detail))
		default:
			op.result.Version = again.result.Version
			op.result.Response = again.result.Response
		}
	}
}

// undo takes back a resource whose references turned out to lead nowhere: an operation is done whole or not at all.
func (b *bulk) undo(ctx context.Context, op *bulkOperation, err error) {
	if removeErr := op.in.remove(ctx, b.request.scope, op.id, 0); removeErr != nil {
		err = removeErr
	}
	op.id = ""
	b.fail(op, err)
}

// resolvedPath puts the id for a bulkId in a path.
func (b *bulk) resolvedPath(segment string) string {
	if ref, ok := strings.CutPrefix(segment, refPrefix); ok && b.byID[ref] != nil {
		return b.byID[ref].id
	}
	return segment
}

// resolved returns the value with ids for the bulkIds that are known.
func (b *bulk) resolved(value any) any {
	switch v := value.(type) {
	case string:
		if op := b.byID[strings.TrimPrefix(v, refPrefix)]; op != nil && op.id != "" && strings.HasPrefix(v, refPrefix) {
			return op.id
		}
		return v
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = b.resolved(element)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, member := range v {
			if path, ok := member.(string); ok && schema.EqualNames(key, "path") {
				object[key] = b.resolvedFilter(path)
				continue
			}
			object[key] = b.resolved(member)
		}
		return object
	default:
		return value
	}
}

// resolvedFilter puts ids into the path of a PATCH, as in members[value eq "bulkId:x"].
func (b *bulk) resolvedFilter(path string) string {
	for _, ref := range referencesInFilter(path) {
		if op := b.byID[ref]; op != nil && op.id != "" {
			path = strings.ReplaceAll(path, `"`+refPrefix+ref+`"`, `"`+op.id+`"`)
		}
	}
	return path
}

// without leaves out whatever refers to something that is not there yet: an element of a list, or an attribute whole.
func (b *bulk) without(value any, whole bool) (kept any, ok bool) {
	switch v := value.(type) {
	case string:
		return v, !strings.HasPrefix(v, refPrefix)
	case []any:
		list := []any{}
		for _, element := range v {
			if left, ok := b.without(element, false); ok {
				list = append(list, left)
			}
		}
		return list, true
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, member := range v {
			left, ok := b.without(member, strings.HasPrefix(key, "urn:"))
			switch {
			case ok:
				object[key] = left
			case !whole:
				return nil, false
			}
		}
		return object, true
	default:
		return value, true
	}
}

// referencesIn returns the bulkIds that a value and a path name, each once.
func referencesIn(value any, path string) []string {
	var refs []string
	var look func(any)
	look = func(value any) {
		switch v := value.(type) {
		case string:
			if ref, ok := strings.CutPrefix(v, refPrefix); ok {
				refs = append(refs, ref)
			}
		case []any:
			for _, element := range v {
				look(element)
			}
		case map[string]any:
			for key, member := range v {
				if path, ok := member.(string); ok && schema.EqualNames(key, "path") {
					refs = append(refs, referencesInFilter(path)...)
					continue
				}
				look(member)
			}
		}
	}
	look(value)
	for segment := range strings.SplitSeq(path, "/") {
		if ref, ok := strings.CutPrefix(segment, refPrefix); ok {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// referencesInFilter returns the quoted references in the path of a PATCH; in any other text only a whole value is one.
func referencesInFilter(path string) []string {
	var refs []string
	for {
		_, rest, found := strings.Cut(path, `"`+refPrefix)
		if !found {
			return refs
		}
		ref, behind, closed := strings.Cut(rest, `"`)
		if !closed {
			return refs
		}
		refs, path = append(refs, ref), behind
	}
}
