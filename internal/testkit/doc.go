// Package testkit is what tests share: databases, built programs that can be killed, a clock that can be set,
// a network that can be broken and a browser.
//
// What a test needs and does not find fails the test with a sentence that says what to do; nothing is skipped.
package testkit
