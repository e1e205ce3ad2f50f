package pipetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// moreData is ERROR_MORE_DATA, the one error that comes with data.
const moreData = 234

// check compares a result with what the script wants. call is the operation that gave it.
func (w *Want) check(call *Call, r *Result) error {
	v := verbs[call.Verb]
	_, sized := w.Fields["n"]
	switch withData := r.Code == 0 || r.Code == moreData; {
	case r.Code != w.Code:
		return fmt.Errorf("want %s, got %s", codeText(w.Code), r.describe())
	case w.Data != nil && !bytes.Equal(w.Data.Bytes(), r.Data):
		return fmt.Errorf("want data %s, got %s", w.Data, r.describe())
	case w.Data == nil && !withData && len(r.Data) > 0:
		return fmt.Errorf("want error %d without data, got %s", w.Code, r.describe())
	case w.Data == nil && !sized && withData && v.received:
		return fmt.Errorf("the script does not say what %s gives; got %s", call.Verb, r.describe())
	case v.data && !v.received && r.Code == 0 && !sized && r.Fields["n"] != strconv.Itoa(len(call.Data.Bytes())):
		return fmt.Errorf("want all %d bytes written, got n=%s", len(call.Data.Bytes()), r.Fields["n"])
	}
	for _, key := range slices.Sorted(maps.Keys(w.Fields)) {
		got, ok := r.Fields[key]
		if !ok {
			return fmt.Errorf("%s gives no field %s, only %v", call.Verb, key, slices.Sorted(maps.Keys(r.Fields)))
		}
		if got != w.Fields[key] {
			return fmt.Errorf("want %s=%s, got %s", key, w.Fields[key], r.describe())
		}
	}
	return nil
}

func codeText(code int) string {
	if code == 0 {
		return "ok"
	}
	return "error " + strconv.Itoa(code)
}

// describe shows a result in a script's words.
func (r *Result) describe() string {
	text := codeText(r.Code)
	if r.Error != "" {
		text += " (" + r.Error + ")"
	}
	if len(r.Data) > 0 {
		text += fmt.Sprintf(" %q", r.Data[:min(len(r.Data), 60)])
		if len(r.Data) > 60 {
			text += fmt.Sprintf("… (%d bytes)", len(r.Data))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Fields)) {
		text += " " + key + "=" + r.Fields[key]
	}
	return text
}
