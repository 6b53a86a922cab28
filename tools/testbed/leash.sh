#!/bin/sh
# leash.sh PID [TENTHS [PATH...]]
#
# Ends process PID when this script's standard input closes: the kernel closes it when the holder of its other end dies,
# in whatever way, so that no server and no test runner outlives who started it. The process has TENTHS tenths of a
# second to leave by itself (100 unless told), then it is killed, frozen or not; what lies at the paths is removed after
# it.
trap '' HUP INT QUIT TERM
while read -r _; do :; done

is_gone_within() {
  tenths=$1
  while kill -0 "$pid" 2>/dev/null; do
    [ "$tenths" -gt 0 ] || return 1
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

pid=$1
grace=${2:-100}
if [ "$grace" -gt 0 ]; then
  kill -TERM "$pid" 2>/dev/null
fi
if ! is_gone_within "$grace"; then
  kill -KILL "$pid" 2>/dev/null
  # Killed is not gone yet; a dead process that nobody asks for stays for ever, hence the limit.
  is_gone_within 20
fi
if [ "$#" -gt 2 ]; then
  shift 2
  rm -rf -- "$@"
fi
