# lib.sh: what scripts that run something in Wine share. Source it from bash, anywhere; it sets nothing but functions and, by
# wine_start, the variables below. A script looks like this:
#
#   . interop/wine/lib.sh
#   work=$(mktemp -d) && trap 'wine_stop; rm -rf "$work"' EXIT
#   wine_install && wine_start "$work/prefix" || exit 1
#   mingw -o "$work/peer.exe" peer.c && GOOS=windows go build -o "$work/server.exe" ./server
#   "$WINE" "$work/server.exe"
#
# After wine_start:
#   WINE                              the path of wine64, exported; the environment makes it use the prefix
#   WINEPREFIX WINEARCH WINEDEBUG     exported, for Wine itself
#   wineserver_pid                    our child; everything in the prefix ends with it
wine_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wineserver_pid=

# wine_install installs Debian's wine64 and mingw-w64 if they are missing, and packages named as arguments.
wine_install() {
  local need=("$@")
  wine_tool wine64 >/dev/null || need+=(wine64)
  command -v x86_64-w64-mingw32-gcc >/dev/null || need+=(gcc-mingw-w64-x86-64)
  [ ${#need[@]} -gt 0 ] || return 0
  echo "needed for Wine: ${need[*]}"
  command -v apt-get >/dev/null || { echo "there is no apt-get here: install what these Debian packages hold"; return 1; }
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300) # another apt-get may be at work
  [ "$(id -u)" = 0 ] || apt=(sudo "${apt[@]}")
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${need[@]}"; } ||
    { echo "could not install them; run as root: apt-get update && apt-get install ${need[*]}"; return 1; }
}

# wine_tool prints the path of one of Wine's programs. Debian keeps some where no PATH leads.
wine_tool() { command -v "$1" || { [ -x "/usr/lib/wine/$1" ] && echo "/usr/lib/wine/$1"; }; }

# wine_start FOLDER makes a prefix there and starts its server. It gets the one library that Go programs need and Wine 8 lacks,
# bcryptprimitives.dll.
wine_start() {
  wine_stop # of a first try
  export WINEPREFIX=$1 WINEDEBUG=${WINEDEBUG:--all} WINEARCH=win64 WINE
  local server
  WINE=$(wine_tool wine64) && server=$(wine_tool wineserver64 || wine_tool wineserver) || { echo "wine64 is not installed"; return 1; }
  mkdir -p "$WINEPREFIX" || return 1
  "$server" -f -p >/dev/null 2>&1 </dev/null & wineserver_pid=$!
  # Who is faster than our server starts one that isn't our child. It answers once the socket is in its folder.
  until [ -S "/proc/$wineserver_pid/cwd/socket" ]; do
    kill -0 "$wineserver_pid" 2>/dev/null || { echo "the Wine server ended"; return 1; }
    sleep 0.02
  done
  timeout 120 "$WINE" wineboot -i || return 1
  mingw -shared -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$wine_lib/c/prng.c" -ladvapi32
}

# wine_stop ends the server that wine_start started, and with it every program in the prefix. It may be called at any time.
wine_stop() {
  [ -n "$wineserver_pid" ] || return 0
  kill -INT "$wineserver_pid" 2>/dev/null # upon which it ends its programs; upon TERM it leaves some behind
  wait "$wineserver_pid" 2>/dev/null
  wineserver_pid=
}

# mingw compiles C for 64-bit Windows: mingw -o PROGRAM.exe SOURCE... [-lLIBRARY...]
mingw() { x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -Werror "$@"; }

# go_windows is the go command for Windows.
go_windows() { GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go "$@"; }
