#!/bin/sh
# Runs the pipeline of textkit as its owner would: in a checkout of its own, on this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
penstock=$here/../.venv/bin/penstock
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export PENSTOCK_HOME=$place/data
cp -R "$here/textkit" "$place/textkit"
cd "$place/textkit"
git init --quiet --initial-branch=main
git -c user.name=demo -c user.email=demo@localhost add --all
git -c user.name=demo -c user.email=demo@localhost commit --quiet --message='A small project'
echo '$ penstock run --approve release --output results'
"$penstock" run --approve release --output results
echo
echo '$ find results -type f'
find results -type f | sort
