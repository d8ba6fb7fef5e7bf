package web

import (
	"time"

	"muster/domain"
)

// chart is a bar chart drawn as SVG on the server, with its numbers beside it as a table.
type chart struct {
	Width, Height, Base int
	Bars                []bar
	// Top is the largest number, at the height of the chart.
	Top int
	// Changes, Others and Refused are the sums.
	Changes, Others, Refused int
}

// bar is one span of time, its parts from the bottom up.
type bar struct {
	From                     time.Time
	To                       time.Time
	Changes, Others, Refused int
	X, Width                 int
	ChangesY, ChangesHeight  int
	OthersY, OthersHeight    int
	RefusedY, RefusedHeight  int
}

const (
	barWidth    = 20
	barGap      = 6
	chartHeight = 120
)

func chartOf(counts []domain.ActivityCount, span time.Duration) chart {
	c := chart{Width: len(counts) * (barWidth + barGap), Height: chartHeight, Base: chartHeight + 2, Top: 1}
	for _, count := range counts {
		c.Top = max(c.Top, count.Changes+count.Others+count.Refused)
	}
	for i, count := range counts {
		b := bar{
			From: count.From, To: count.From.Add(span), Changes: count.Changes, Others: count.Others, Refused: count.Refused,
			X: i * (barWidth + barGap), Width: barWidth,
		}
		y := chartHeight
		b.OthersY, b.OthersHeight, y = c.part(count.Others, y)
		b.ChangesY, b.ChangesHeight, y = c.part(count.Changes, y)
		b.RefusedY, b.RefusedHeight, _ = c.part(count.Refused, y)
		c.Bars = append(c.Bars, b)
		c.Changes, c.Others, c.Refused = c.Changes+count.Changes, c.Others+count.Others, c.Refused+count.Refused
	}
	return c
}

// part is the place of a number on top of what is drawn already; what is not nothing is seen.
func (c chart) part(n, y int) (top, height, next int) {
	height = n * chartHeight / c.Top
	if n > 0 {
		height = max(height, 2)
	}
	return y - height, height, y - height
}

// Empty reports whether there was nothing at all.
func (c chart) Empty() bool { return c.Changes+c.Others+c.Refused == 0 }
