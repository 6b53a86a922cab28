#!/usr/bin/env bash
# Starts MongoDB as a member of a replica set. Members know one another by a key in a file of the server's own.
set -euo pipefail
install --owner=mongodb --group=mongodb --mode=0400 /dev/stdin /data/replica.key <<<"$REPLICA_KEY"
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /data/replica.key --bind_ip_all
