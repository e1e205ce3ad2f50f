package anypipe_test

import (
	"fmt"

	"github.com/anypipe/anypipe"
)

func ExampleParseSDDL() {
	security, err := anypipe.ParseSDDL("D:P(A;;GA;;;OW) (A;;GRGW;;;BU)")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(security.SDDL())
	fmt.Println(security)
	// Output:
	// D:P(A;;GA;;;OW)(A;;GWGR;;;BU)
	// the owner may do everything
	// Users may read, write and add instances
}

func ExampleParseSDDL_error() {
	_, err := anypipe.ParseSDDL("D:(A;;GRGW;;;alice)")
	fmt.Println(err)
	// Output:
	// security descriptor, byte 13: found "alice", want a SID such as WD, BA or S-1-22-1-1000 (ERROR_INVALID_PARAMETER, 87)
}

func ExampleGroupAccess() {
	config := anypipe.ListenConfig{Security: anypipe.GroupAccess(27)}
	fmt.Println(config.Security.SDDL())
	fmt.Println(config.Security)
	// Output:
	// D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x12019b;;;S-1-22-2-27)
	// the owner may do everything
	// LocalSystem (root) may do everything
	// Administrators (root) may do everything
	// group 27 may read and write
}
