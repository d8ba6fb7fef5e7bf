package domain

import "time"

// Clock tells the time; a transaction asks it once and keeps the answer.
type Clock func() time.Time

// Micro cuts a time to the microseconds that every database keeps, in UTC.
func Micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
