#!/usr/bin/env bash
# Starts MongoDB as a member of a replica set. The key file, with which members authenticate, must belong to the server's
# user.
set -euo pipefail
install --owner=mongodb --group=mongodb --mode=0400 /dev/stdin /data/replica.key <<<"$REPLICA_KEY"
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /data/replica.key --bind_ip_all
