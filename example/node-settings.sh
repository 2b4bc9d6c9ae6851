# Read by the other scripts: where things are, and the nine nodes 0 to 8. Node N serves clients on 23790+N and its peers on 24790+N.
example_dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
raftkv="$example_dir/../packages/cli/bin/raftkv.js"
nodes='0 1 2 3 4 5 6 7 8'

client_url() { echo "http://127.0.0.1:$((23790 + $1))"; }
peer_url() { echo "http://127.0.0.1:$((24790 + $1))"; }

all_nodes() {
  list=''
  for node in $nodes; do list="$list,node-$node=$(peer_url "$node")"; done
  echo "${list#,}"
}
