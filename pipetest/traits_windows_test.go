package pipetest

import "golang.org/x/sys/windows"

// systemTraits says whether the kernel is Windows' own or Wine, whose deviations the scripts name.
func systemTraits() []string {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return []string{"wine", "windows"}
	}
	return []string{"windows"}
}
