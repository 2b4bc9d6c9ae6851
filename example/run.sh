#!/bin/sh
# Starts nodes 2 to 8 in the background: logs in logs/, process ids in run/. stop.sh ends them.
set -eu
. "$(dirname -- "$0")/node-settings.sh"

mkdir -p "$example_dir/logs" "$example_dir/run"
for node in 2 3 4 5 6 7 8; do
  if [ -e "$example_dir/run/node-$node.pid" ]; then
    echo "node $node was started already, run stop.sh first" >&2
    exit 1
  fi
done
for node in 2 3 4 5 6 7 8; do
  nohup "$example_dir/raft_example" "$node" </dev/null >>"$example_dir/logs/node-$node.log" 2>&1 &
  echo $! >"$example_dir/run/node-$node.pid"
  echo "node $node: process $!, clients at $(client_url "$node"), log in logs/node-$node.log"
done
