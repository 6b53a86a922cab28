#!/bin/sh
# kill-with-parent.sh PID [TENTHS [PATH...]]
#
# Ends process PID when this script's standard input closes: the kernel closes it when the process at its other end dies,
# in whatever way, so that no server and no test runner outlives the process that started it. PID has TENTHS tenths of a
# second to end by SIGTERM (default: 100), then it is killed, frozen or not. The paths are removed after that.
trap '' HUP INT QUIT TERM
while read -r _; do :; done

has_ended_within() {
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
if ! has_ended_within "$grace"; then
  kill -KILL "$pid" 2>/dev/null
  # A killed process that nobody waits for stays in the process table for ever, hence the limit.
  has_ended_within 20
fi
if [ "$#" -gt 2 ]; then
  shift 2
  rm -rf -- "$@"
fi
