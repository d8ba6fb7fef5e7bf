package testkit

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// Chromium starts a browser with an empty profile and returns the context of its first tab, for chromedp.Do and chromedp.Run.
// The browser ends with the test; give each step a context with a timeout derived from this one.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	profile := t.TempDir()
	// The default ones switch off the first run's questions, background networking and sync.
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(needed(t, "MUSTER_TEST_CHROMIUM")),
		chromedp.UserDataDir(profile),
		chromedp.Env("HOME="+profile),
		// It refuses to run as root with a sandbox, and cannot make one in most containers; it sees nothing but our own pages.
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("%s does not start: %v", os.Getenv("MUSTER_TEST_CHROMIUM"), err)
	}
	// Waits until the browser is gone, so that its profile can be removed.
	t.Cleanup(func() {
		if err := chromedp.Cancel(tab); err != nil {
			t.Errorf("the browser did not end: %v", err)
		}
	})
	return tab
}

// Screenshot writes the whole page that a tab shows to name.png in the directory that MUSTER_SCREENSHOTS names.
// It does nothing when the variable is not set.
func Screenshot(t testing.TB, tab context.Context, name string) { //nolint:revive // t goes first in every function here
	t.Helper()
	dir := os.Getenv("MUSTER_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("screenshot %s: %v", name, err)
	}
	file := filepath.Join(dir, name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Axe returns the path of axe-core's script, which finds what keeps people from using a page.
func Axe(t testing.TB) string {
	t.Helper()
	return needed(t, "MUSTER_TEST_AXE")
}
