package scim_test

import (
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// unreserved are the characters that a cursor may have (P4, RFC 3986 section 2.3).
var unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// walkCursor follows nextCursor from the first page to the last; between pages it calls meanwhile with the page's names.
func (w *world) walkCursor(query string, meanwhile func(page int, names []string)) (pages [][]string) {
	w.Helper()
	endpoint, parameters, _ := strings.Cut(query, "?")
	for cursor := ""; ; {
		got := w.ok(http.StatusOK, "GET", endpoint+"?cursor="+cursor+"&"+parameters, "")
		names := userNames(got)
		next, more := got.body["nextCursor"].(string)
		if _, indexed := got.body["startIndex"]; indexed || more && !unreserved.MatchString(next) || (cursor == "") && got.body["previousCursor"] != nil {
			w.Fatalf("%s page %d: %s", query, len(pages), got.text)
		}
		if total := got.body["itemsPerPage"]; total != nil && total != float64(len(names)) {
			w.Errorf("%s: itemsPerPage %v of %v", query, total, names)
		}
		pages = append(pages, names)
		if meanwhile != nil {
			meanwhile(len(pages), names)
		}
		if !more {
			return pages
		}
		if len(pages) > 100 {
			w.Fatalf("%s: no end", query)
		}
		cursor = next
	}
}

// P1, P5, P8, S42, R51: pages by cursor hold what one page holds, in its order, whatever the filter and the order are.
func TestCursorPages(t *testing.T) {
	onEngines(t, func(w *world) {
		for i := range 11 {
			w.made(`"userName":"u` + strconv.Itoa(i*7%11) + `","title":"` + strconv.Itoa(i%3) + `"` + map[bool]string{true: `,"nickName":"N` + strconv.Itoa(i) + `"`}[i%4 == 0])
		}
		for _, query := range []string{
			"/Users?count=4", "/Users?count=1", "/Users?count=11", "/Users?count=100", "/Users?", "/Users?count=3&filter=title eq \"1\"",
			"/Users?count=2&filter=title eq \"none\"", "/Users?count=2&sortBy=userName", "/Users?count=3&sortBy=title&sortOrder=descending",
			"/Users?count=2&sortBy=nickName", "/Users?count=2&sortBy=nickName&sortOrder=descending", "/Users?count=5&attributes=userName&sortBy=meta.created",
		} {
			parameters := regexp.MustCompile(`count=\d+&?`).ReplaceAllString(query, "")
			whole := userNames(w.ok(http.StatusOK, "GET", parameters, ""))
			pages := w.walkCursor(query, nil)
			if got := slices.Concat(pages...); !slices.Equal(got, whole) {
				w.Errorf("%s: pages %v, whole %v", query, pages, whole)
			}
			if count := countOf(query); len(pages) != max(1, (len(whole)+count-1)/count) {
				w.Errorf("%s: %d pages: %v", query, len(pages), pages)
			}
		}
		// P1: a bare cursor is the first page too; P5: the total, if there is one, is of all.
		for _, query := range []string{"/Users?cursor&count=2", "/Users?count=2&cursor="} {
			got := w.ok(http.StatusOK, "GET", query, "")
			if total := got.body["totalResults"]; len(userNames(got)) != 2 || got.body["nextCursor"] == nil || total != nil && total != 11.0 {
				w.Errorf("%s: %s", query, got.text)
			}
		}
		// Without cursor the answer is by index, as ServiceProviderConfig says (P7).
		if got := w.ok(http.StatusOK, "GET", "/Users?count=2", ""); got.body["nextCursor"] != nil || got.body["startIndex"] != 1.0 {
			w.Errorf("by index: %s", got.text)
		}
	})
}

func countOf(query string) int {
	values, _ := url.ParseQuery(query[strings.IndexByte(query, '?')+1:])
	if n, err := strconv.Atoi(values.Get("count")); err == nil {
		return n
	}
	return 100
}

// P6: cursors in .search, where the query is in the body, and the same cursor by GET and POST.
func TestCursorSearch(t *testing.T) {
	onEngines(t, func(w *world) {
		var want []string
		for i := range 5 {
			want = append(want, "g"+strconv.Itoa(i))
			w.createGroup(want[i])
		}
		var got []string
		for cursor, more := "", true; more; {
			page := w.ok(http.StatusOK, "POST", "/Groups/.search", searchRequest(`,"count":2,"sortBy":"displayName","cursor":"`+cursor+`"`))
			got = append(got, userNames(page)...)
			cursor, more = page.body["nextCursor"].(string)
			if len(got) > 10 {
				break
			}
		}
		if !reflect.DeepEqual(got, want) {
			w.Errorf("got %v", got)
		}
	})
}

// P1, S42: previousCursor leads back page by page, to the first, which has none; whatever the order, over one type and over all.
func TestCursorBack(t *testing.T) {
	onEngines(t, func(w *world) {
		for i := range 7 {
			w.createGroup("g" + strconv.Itoa(i*3%7))
			w.made(`"userName":"u` + strconv.Itoa(i*3%7) + `"` + map[bool]string{true: `,"displayName":"d` + strconv.Itoa(i/2) + `"`}[i%3 > 0])
		}
		for _, query := range []string{
			"/Groups?count=2", "/Groups?count=3&sortBy=displayName", "/Groups?count=2&sortBy=displayName&sortOrder=descending", "/Users?count=2&sortBy=displayName",
			"/Users?count=3&sortBy=displayName&sortOrder=descending", "/Users?count=2&filter=displayName pr", "/?count=3", "/?count=4&sortBy=displayName",
			"/?count=5&sortBy=displayName&sortOrder=descending", "/?count=2&filter=userName pr or displayName gt \"g3\"",
		} {
			var pages [][]string
			previous := ""
			for cursor, more := "", true; more; {
				got := w.ok(http.StatusOK, "GET", query+"&cursor="+cursor, "")
				pages = append(pages, userNames(got))
				cursor, more = got.body["nextCursor"].(string)
				previous, _ = got.body["previousCursor"].(string)
				if len(pages) > 20 {
					w.Fatalf("%s: no end", query)
				}
			}
			for i := len(pages) - 2; i >= 0; i-- {
				got := w.ok(http.StatusOK, "GET", query+"&cursor="+previous, "")
				if names := userNames(got); !slices.Equal(names, pages[i]) || got.body["nextCursor"] == nil {
					w.Errorf("%s: back on page %d: %v, want %v of %v", query, i, names, pages[i], pages)
				}
				forward := w.ok(http.StatusOK, "GET", query+"&cursor="+got.body["nextCursor"].(string), "")
				if names := userNames(forward); !slices.Equal(names, pages[i+1]) {
					w.Errorf("%s: forward from page %d: %v, want %v", query, i, names, pages[i+1])
				}
				previous, _ = got.body["previousCursor"].(string)
				if (previous == "") != (i == 0) {
					w.Errorf("%s: page %d has the previousCursor %q", query, i, previous)
					break
				}
			}
		}
	})
}

// P2, P3, S42: what is no cursor of this query, client and time is refused, and says nothing else.
func TestCursorErrors(t *testing.T) {
	onEngines(t, func(w *world) {
		_, err := w.service.CreateOrganizationByHand(t.Context(), "Elsewhere")
		w.must(err)
		for i := range 4 {
			w.made(`"userName":"u` + strconv.Itoa(i) + `","title":"T"`)
			w.createGroup("g" + strconv.Itoa(i))
		}
		cursor, _ := w.ok(http.StatusOK, "GET", `/Users?cursor=&count=2&filter=title pr`, "").body["nextCursor"].(string)
		if cursor == "" {
			w.Fatal("no cursor")
		}
		forged := []byte(cursor)
		if middle := len(forged) / 2; forged[middle] == 'A' {
			forged[middle] = 'B'
		} else {
			forged[middle] = 'A'
		}
		details := map[any]bool{}
		for _, query := range []string{
			"/Users?count=2&filter=title pr&cursor=x", "/Users?count=2&filter=title pr&cursor=" + string(forged), "/Users?count=2&filter=title pr&cursor=" + cursor + "A",
			"/Users?count=2&filter=title pr&cursor=" + cursor[:len(cursor)-1], "/Users?count=2&cursor=" + cursor, `/Users?count=2&filter=title eq "T"&cursor=` + cursor,
			"/Users?count=2&filter=title pr&sortBy=userName&cursor=" + cursor, "/Groups?count=2&cursor=" + cursor, "/Users?count=2&filter=title pr&cursor=" + strings.Repeat("A", 5000),
		} {
			details[w.refused(http.StatusBadRequest, "invalidCursor", "GET", query, "").body["detail"]] = true
		}
		home := w.secret
		w.secret = w.token("Elsewhere")
		details[w.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?count=2&filter=title pr&cursor="+cursor, "").body["detail"]] = true
		w.secret = home
		if len(details) != 1 {
			w.Errorf("the refusals differ: %v", details)
		}
		if got := w.send("GET", "/Users?cursor=&startIndex=1", ""); got.status != http.StatusBadRequest {
			w.Errorf("cursor and startIndex: %d %s", got.status, got.text)
		}
		for _, query := range []string{"/Users?cursor=&count=x", "/Users?cursor=&count=1.5"} {
			if got := w.send("GET", query, ""); got.status != http.StatusBadRequest {
				w.Errorf("%s: %d %s", query, got.status, got.text)
			}
		}
		// The filter alone, spelled another way or in another order of parameters, is the same query.
		w.ok(http.StatusOK, "GET", "/Users?filter=title pr&cursor="+cursor+"&count=2&aadOptscim062020", "")
	})
}

// P3, P7: a cursor lives as long as ServiceProviderConfig says.
func TestCursorExpires(t *testing.T) {
	w := onSQLite(t)
	for i := range 3 {
		w.createGroup("g" + strconv.Itoa(i))
	}
	pagination := w.ok(http.StatusOK, "GET", "/ServiceProviderConfig", "").body["pagination"]
	seconds, ok := dig(pagination, "cursorTimeout").(float64)
	if !ok || dig(pagination, "cursor") != true || dig(pagination, "index") != true {
		t.Fatalf("pagination %v", pagination)
	}
	cursor, _ := w.ok(http.StatusOK, "GET", "/Groups?cursor=&count=1", "").body["nextCursor"].(string)
	w.clock.Advance(time.Duration(seconds-2) * time.Second)
	w.ok(http.StatusOK, "GET", "/Groups?count=1&cursor="+cursor, "")
	w.clock.Advance(2 * time.Second)
	w.refused(http.StatusBadRequest, "expiredCursor", "GET", "/Groups?count=1&cursor="+cursor, "")
}

// P8, S41: whatever is made and deleted meanwhile, each resource that is there throughout comes exactly once.
func TestCursorWhileOthersWrite(t *testing.T) {
	onEngines(t, func(w *world) {
		for _, order := range []string{"", "&sortBy=displayName", "&sortBy=displayName&sortOrder=descending", "&sortBy=meta.lastModified", "&sortBy=externalId"} {
			const groups = 24
			ids := map[string]string{}
			for i := range groups {
				name := "g" + strconv.Itoa(100+i*11%groups)
				ids[name] = w.createGroup(name)
			}
			gone := map[string]bool{}
			remove := func(name string) {
				if id := ids[name]; id != "" && !gone[name] {
					gone[name] = true
					w.ok(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
				}
			}
			pages := w.walkCursor("/Groups?count=4"+order, func(page int, names []string) {
				// Of those that were shown: the last one, from which the next page goes on, and the first.
				if page%2 == 1 && len(names) > 0 {
					remove(names[len(names)-1])
					remove(names[0])
				}
				remove("g" + strconv.Itoa(100+page*5%groups))
				w.createGroup("f" + strconv.Itoa(page) + order)
				w.createGroup("h" + strconv.Itoa(page) + order)
			})
			times := map[string]int{}
			for _, name := range slices.Concat(pages...) {
				times[name]++
			}
			for name := range ids {
				if !gone[name] && times[name] != 1 || times[name] > 1 {
					w.Errorf("%q: %s came %d times: %v", order, name, times[name], pages)
				}
			}
			w.empty()
		}
	})
}

// S41, S40: pages by startIndex of a list that nobody changes are whole; while others write, no page fails.
func TestIndexWhileOthersWrite(t *testing.T) {
	onEngines(t, func(w *world) {
		for i := range 10 {
			w.createGroup("g" + strconv.Itoa(i))
		}
		for start := 1; start < 20; start += 3 {
			got := w.ok(http.StatusOK, "GET", "/Groups?count=3&startIndex="+strconv.Itoa(start), "")
			w.createGroup("n" + strconv.Itoa(start))
			if total, _ := got.body["totalResults"].(float64); int(total) != 10+(start-1)/3 {
				w.Errorf("totalResults %v", total)
			}
		}
	})
}

// R51, R54, R55, S40: pages by startIndex may be asked for in any order and size, and be of any list: each is what its index says.
func TestIndexPagesInAnyOrder(t *testing.T) {
	onEngines(t, func(w *world) {
		const people = 9
		for i := range people {
			w.made(`"userName":"u` + strconv.Itoa(i*4%people) + `","title":"` + strconv.Itoa(i%2) + `"`)
			w.createGroup("g" + strconv.Itoa(i*4%people))
		}
		for _, query := range []string{
			"/Users?", "/Users?sortBy=userName", "/Users?sortBy=title&sortOrder=descending", `/Users?filter=title eq "1"`, `/Users?filter=userName co "u"&sortBy=title`,
			"/Groups?excludedAttributes=members", "/Groups?sortBy=displayName", "/?", "/?sortBy=meta.created&sortOrder=descending", `/?filter=userName pr or displayName sw "g"`,
		} {
			whole := userNames(w.ok(http.StatusOK, "GET", query+"&count=100", ""))
			for _, page := range [][2]int{{1, 2}, {3, 2}, {5, 3}, {3, 4}, {7, 1}, {1, 5}, {6, 100}, {3, 1}, {4, 0}, {2, 2}, {4, 2}, {1, 1}, {2, 3}, {5, 5}} {
				start, count := page[0], page[1]
				got := w.ok(http.StatusOK, "GET", query+"&startIndex="+strconv.Itoa(start)+"&count="+strconv.Itoa(count), "")
				low := min(start-1, len(whole))
				want := whole[low:min(low+count, len(whole))]
				if !slices.Equal(userNames(got), want) || got.body["totalResults"] != float64(len(whole)) || got.body["startIndex"] != float64(start) {
					w.Errorf("%s %v: %v of %v, want %v", query, page, userNames(got), got.body["totalResults"], want)
				}
			}
		}
	})
}

// S41, S66: who reads a list by startIndex, in order, while others are deleted, misses nobody and reads nobody twice.
func TestIndexWalkWhileOthersAreDeleted(t *testing.T) {
	onEngines(t, func(w *world) {
		const groups = 20
		ids := map[string]string{}
		for i := range groups {
			name := "g" + strconv.Itoa(100+i)
			ids[name] = w.createGroup(name)
		}
		gone, seen := map[string]bool{}, map[string]int{}
		for start := 1; start <= groups; start += 4 {
			names := userNames(w.ok(http.StatusOK, "GET", "/Groups?count=4&startIndex="+strconv.Itoa(start), ""))
			for _, name := range names {
				seen[name]++
			}
			if len(names) > 0 {
				gone[names[0]] = true
				w.ok(http.StatusNoContent, "DELETE", "/Groups/"+ids[names[0]], "")
			}
		}
		for name := range ids {
			if seen[name] != 1 {
				w.Errorf("%s came %d times (deleted: %t)", name, seen[name], gone[name])
			}
		}
	})
}
