#!/bin/sh
# Runs the pipeline of textkit as its owner would: in a checkout on this machine, then on a server of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
penstock=$here/../.venv/bin/penstock
place=$(mktemp -d)
server=
leave() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$place"
}
trap leave EXIT
export PENSTOCK_HOME="$place/data" XDG_CONFIG_HOME="$place/config"
unset PENSTOCK_SERVER PENSTOCK_TOKEN

show() {
  echo
  echo "\$ $1"
}

cp -R "$here/textkit" "$place/textkit"
cd "$place/textkit"
git init --quiet --initial-branch=main
git -c user.name=demo -c user.email=demo@localhost add --all
git -c user.name=demo -c user.email=demo@localhost commit --quiet --message='A small project'
echo '$ penstock run --executor host --approve release --output results'
"$penstock" run --executor host --approve release --output results
show 'find results -type f'
find results -type f | sort

git clone --quiet --bare . "$place/textkit.git"
git remote add origin "$place/textkit.git"
show 'penstock serve --executor host'
PENSTOCK_GIT_PROTOCOLS=file "$penstock" serve --data "$place/server" --port 0 --executor host >"$place/log" 2>&1 &
server=$!
until grep -q 'listening on' "$place/log"; do
  kill -0 "$server" 2>/dev/null || { cat "$place/log"; exit 1; }
  sleep 0.1
done
grep 'penstock:' "$place/log" | sed 's/\(shown this once: ....\).*/\1…/'
address=$(sed -n 's/.*listening on //p' "$place/log")
show "penstock login $address"
sed -n 's/.*shown this once: //p' "$place/log" | "$penstock" login "$address" --token -
show 'penstock project add'
"$penstock" project add
for call in 'trigger' 'watch --until-hold' 'approve release' 'watch' 'artifacts package'; do
  show "penstock $call"
  # shellcheck disable=SC2086  # the words of a call
  "$penstock" $call || [ $? = 4 ] # 4: the pipeline has not ended, since it waits for somebody
done
