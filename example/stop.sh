#!/bin/sh
# Stops the nodes that run.sh started, and only those, and waits until they are gone.
set -eu
. "$(dirname -- "$0")/node-settings.sh"

# The process of the file, if it still is that node: ids are used again after a restart of the machine.
node_process() {
  read -r process <"$1"
  case $(ps -o args= -p "$process" 2>/dev/null) in
    *"server --name $2 "*) echo "$process" ;;
  esac
}

for file in "$example_dir"/run/*.pid; do
  [ -e "$file" ] || continue
  process=$(node_process "$file" "$(basename "$file" .pid)")
  [ -z "$process" ] || kill -TERM "$process" 2>/dev/null || true
done

status=0
seconds_left=20
for file in "$example_dir"/run/*.pid; do
  [ -e "$file" ] || continue
  name=$(basename "$file" .pid)
  while process=$(node_process "$file" "$name") && [ -n "$process" ] && [ "$seconds_left" -gt 0 ]; do
    sleep 1
    seconds_left=$((seconds_left - 1))
  done
  if [ -n "$process" ]; then
    echo "$name, process $process, has not stopped in 20 s" >&2
    status=1
  else
    rm "$file"
    echo "$name stopped"
  fi
done
exit "$status"
