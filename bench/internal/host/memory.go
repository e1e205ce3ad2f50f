package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what two processes and the kernel hold, in bytes.
type Memory struct {
	Server, Client int64 // private memory and page tables of each process
	Shared         int64 // shared memory of the whole machine: every page counts once
	Kernel         int64 // slab of the whole machine
}

// MemoryOf looks at both processes and the machine.
func MemoryOf(server, client int) (m Memory, err error) {
	if m.Server, err = private(server); err != nil {
		return m, err
	}
	if m.Client, err = private(client); err != nil {
		return m, err
	}
	system, err := fields("/proc/meminfo")
	m.Shared, m.Kernel = system["Shmem"], system["Slab"]
	return m, err
}

// private leaves shared pages out, as both processes have them; they are counted once, for the machine.
func private(pid int) (int64, error) {
	status, err := fields(fmt.Sprintf("/proc/%d/status", pid))
	return status["RssAnon"] + status["RssFile"] + status["VmPTE"], err
}

// fields reads the lines "Name: 123 kB" of a file.
func fields(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if number, isSize := strings.CutSuffix(strings.TrimSpace(value), " kB"); isSize {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			all[name] = n << 10
		}
	}
	return all, nil
}
