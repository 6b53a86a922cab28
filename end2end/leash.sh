#!/bin/sh
# Ends process $1 when this script's standard input closes: the kernel closes it when the holder of its other end dies,
# in whatever way, so that no server and no test runner outlives who started it.
trap '' INT TERM
while read -r _; do :; done
kill -TERM "$1" 2>/dev/null || exit 0
tenths=100
while [ "$tenths" -gt 0 ]; do
  kill -0 "$1" 2>/dev/null || exit 0
  sleep 0.1
  tenths=$((tenths - 1))
done
kill -KILL "$1" 2>/dev/null || exit 0
