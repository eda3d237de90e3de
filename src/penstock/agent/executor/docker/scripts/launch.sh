# launch.sh NUMBER DIRECTORY PROGRAM [ARGUMENT...]: one process of a task.
#
# Says on the pipe life-NUMBER what becomes of it; its output goes to out-NUMBER. This shell leads the process
# group and waits, so a trap keeps it alive when a signal to the group ends the program.
number=$1 directory=$2
shift 2
exec 8>"$PENSTOCK_CONTROL/life-$number" 9>"$PENSTOCK_CONTROL/out-$number" || exit 1
if ! cd "$directory" 2>/dev/null; then
  echo directory >&8
  exit 1
fi
if ! command -v "$1" >/dev/null 2>&1; then
  echo program >&8
  exit 1
fi
trap : HUP INT QUIT TERM USR1 USR2
echo "started $$" >&8
"$@" </dev/null >&9 2>&1 8>&- 9>&-
echo "ended $?" >&8
