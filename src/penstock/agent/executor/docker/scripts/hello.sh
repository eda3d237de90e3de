# hello.sh [hold]: says on the pipe `hello` what the container offers to steps.
#
# With `hold` it is the container's main process, which lasts until the agent closes the pipe `hold`, or dies.
# A number on that pipe asks for the script start-NUMBER. It is started by two `setsid`s: the second leads a
# group already, so it forks and returns at once, and nothing is started with `&`, which ignores SIGINT.
say_hello() {
  echo "home=$HOME"
  while read -r key real _; do
    case $key in
    Uid:) echo "uid=$real" ;;
    Gid:) echo "gid=$real" ;;
    esac
  done </proc/self/status
  while read -r _ mount type _; do
    case $type in
    tmpfs | proc | sysfs) echo "memory=$mount" ;;
    esac
  done </proc/self/mounts
  if [ -x /bin/bash ]; then echo bash=yes; fi
  if (set -o pipefail) 2>/dev/null; then echo pipefail=yes; fi
  if command -v git >/dev/null 2>&1; then echo git=yes; fi
  if command -v ssh >/dev/null 2>&1; then echo ssh=yes; fi
  if [ "$1" = hold ] && command -v setsid >/dev/null 2>&1; then echo starts=yes; fi
  echo ready
}
say_hello "$1" >"$PENSTOCK_CONTROL/hello"
if [ "$1" = hold ]; then
  while read -r number; do
    setsid setsid /bin/sh "$PENSTOCK_CONTROL/start-$number" </dev/null
  done <"$PENSTOCK_CONTROL/hold"
fi
