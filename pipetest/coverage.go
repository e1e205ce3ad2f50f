package pipetest

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// leftOutFile is the script folder's list of cases without a script.
const leftOutFile = "left-out.txt"

// LeftOut returns the reasons of the cases that have no script, by number.
func LeftOut(fsys fs.FS) (map[int]string, error) {
	text, err := fs.ReadFile(fsys, leftOutFile)
	if err != nil {
		return nil, err
	}
	reasons := make(map[int]string)
	line := 0
	for entry := range strings.Lines(string(text)) {
		line++
		if entry = strings.TrimSpace(entry); entry == "" || entry[0] == '#' {
			continue
		}
		left, reason, _ := strings.Cut(entry, ":")
		number, err := strconv.Atoi(left)
		if reason = strings.TrimSpace(reason); err != nil || reason == "" {
			return nil, fmt.Errorf("%s:%d: %q: want NUMBER: REASON", leftOutFile, line, entry)
		}
		if reasons[number] != "" {
			return nil, fmt.Errorf("%s:%d: %d is listed twice", leftOutFile, line, number)
		}
		reasons[number] = reason
	}
	return reasons, nil
}

// CheckCoverage checks that every number from 1 to [Cases] is scripted, a case in Go, or left out with a reason, and only
// one of these, once.
func CheckCoverage(fsys fs.FS) error {
	leftOut, err := LeftOut(fsys)
	if err != nil {
		return err
	}
	cases, err := LoadScripts(fsys)
	if err != nil {
		return err
	}
	places := make(map[int][]string)
	for number := range leftOut {
		places[number] = append(places[number], leftOutFile)
	}
	for _, c := range cases {
		places[c.Number] = append(places[c.Number], fmt.Sprintf("%s.txt:%d", c.Section, c.Line))
	}
	for _, c := range dropInCases {
		places[c.number] = append(places[c.number], "dropin.go")
	}
	for number := 1; number <= Cases; number++ {
		if len(places[number]) != 1 {
			return fmt.Errorf("case %d must be in one place, it is in %v", number, places[number])
		}
		delete(places, number)
	}
	for number, where := range places {
		return fmt.Errorf("%v: there is no case %d", where, number)
	}
	return nil
}
