package report

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"text/template"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

//go:embed chart.svg.tmpl
var chartText string

// The measures of the chart, in pixels.
const (
	columns     = 3
	panelWidth  = 360
	barLength   = 190 // of the greatest value
	barStep     = 16
	panelHead   = 24
	panelGap    = 34
	barsFrom    = 98 // where bars begin; the names stand before it
	chartMargin = 20
)

type chart struct {
	Width, Height, Foot int
	Caption             string
	Panels              []panel
}

type panel struct {
	X, Y                int
	Title, Unit, Better string
	Bars                []bar
}

type bar struct {
	Name, Value, Missing, Color string
	Y, Text, Length, Label      int
}

// Chart writes an SVG: a panel for each workload's main figure, a bar for each contender.
func (r *Report) Chart(out io.Writer) error {
	t, err := template.New("chart").Parse(chartText)
	if err != nil {
		return err
	}
	height := 0
	for _, s := range r.Works {
		height = max(height, panelHead+len(s.Results)*barStep+panelGap)
	}
	rows := (len(r.Works) + columns - 1) / columns
	c := chart{Width: columns*panelWidth + chartMargin, Height: rows*height + 3*chartMargin, Foot: rows*height + 2*chartMargin + 8}
	c.Caption = fmt.Sprintf("%s, %d CPUs, %s, %s, %s; medians of %d rounds", r.Machine.CPU, r.Machine.CPUs, r.Machine.Kernel, r.Machine.Go,
		r.Time.Format("2006-01-02"), r.Rounds)
	for i := range r.Works {
		p := r.Works[i].panel()
		p.X, p.Y = chartMargin+i%columns*panelWidth, chartMargin+10+i/columns*height
		c.Panels = append(c.Panels, p)
	}
	return t.Execute(out, c)
}

func (s *Section) panel() panel {
	m := s.Metrics()[0]
	p := panel{Title: s.Title, Unit: m.Unit, Better: "more"}
	if m.Less {
		p.Better = "less"
	}
	least, most := s.extremes(m)
	for i, r := range s.Results {
		y := panelHead + i*barStep
		b := bar{Name: r.Contender, Y: y, Text: y + 10, Color: color(r.Contender)}
		if v, ok := r.Value(m); ok {
			b.Length = length(v.Median, least, most)
			b.Label, b.Value = barsFrom+b.Length+5, number(v.Median)
		} else {
			b.Missing = "not applicable"
			if r.Error != "" {
				b.Missing = "failed"
			}
		}
		p.Bars = append(p.Bars, b)
	}
	return p
}

func (s *Section) extremes(m spec.Metric) (least, most float64) {
	least = math.Inf(1)
	for i := range s.Results {
		if v, ok := s.Results[i].Value(m); ok && v.Median > 0 {
			least, most = min(least, v.Median), max(most, v.Median)
		}
	}
	return least, most
}

// length is logarithmic: the least value still has a tenth of a bar.
func length(v, least, most float64) int {
	if v <= 0 || most <= least {
		return barLength / 10
	}
	share := math.Log(v/least) / math.Log(most/least)
	return int(barLength * (0.1 + 0.9*share))
}

func color(name string) string {
	switch name {
	case spec.Subject:
		return "#1769aa"
	case spec.Baseline:
		return "#e08a2c"
	case spec.Limit, "c-unix":
		return "#7a9a5b"
	}
	return "#b8bec6"
}
