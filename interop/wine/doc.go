// Package wine proves the Windows backend under Wine: its tests are built for Windows and run there by the script run, with
// programs that know nothing of anypipe as the other end. They are plain C on Win32 (c/peer.c) and go-winio.
package wine
