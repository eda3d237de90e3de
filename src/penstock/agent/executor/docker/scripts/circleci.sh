#!/bin/sh
# circleci, circleci-agent: the commands inside a job, answered by the agent.
#
# A request goes through one of the numbered slots of the control folder: this script takes a free one, writes
# its arguments and input there, and runs the answer, which is a shell script. Only what every sh knows is
# used, and names begin with `ps_`, because `env subst` must see the job's variables as they are.

ps_take_slot() {
  ps_slot=0
  while [ "$ps_slot" -lt 16 ]; do
    if (set -C && : >"$PENSTOCK_CONTROL/taken-$ps_slot") 2>/dev/null; then return; fi
    ps_slot=$((ps_slot + 1))
  done
  echo "Error: too many of these commands at once" >&2
  exit 1
}

ps_list_files() { # every file below the folder $1, named as a pattern would name it
  for ps_entry in "$1"* "$1".[!.]* "$1"..?*; do
    if [ -d "$ps_entry" ]; then
      if ! [ -L "$ps_entry" ]; then ps_list_files "$ps_entry/"; fi
    elif [ -f "$ps_entry" ]; then
      printf '%s\n' "$ps_entry"
    fi
  done
}

ps_list_for_patterns() { # the files below the folders the patterns begin with
  for ps_pattern; do
    ps_fixed=${ps_pattern%%[*?[\{]*}
    case $ps_fixed in
    "$ps_pattern") if [ -f "$ps_pattern" ]; then printf '%s\n' "$ps_pattern"; fi ;;
    */*) ps_list_files "${ps_fixed%/*}/" ;;
    *) ps_list_files "" ;;
    esac
  done
}

ps_pass_input() {
  while IFS= read -r ps_line; do printf '%s\n' "$ps_line"; done
  if [ -n "$ps_line" ]; then printf '%s' "$ps_line"; fi
}

ps_say_continuation() { # key, config and parameters with zero bytes between; a file that is missing breaks it
  ps_config= ps_parameters=
  while [ $# -gt 0 ]; do
    case $1 in
    --config=*) ps_config=${1#*=} ;;
    --parameters=*) ps_parameters=${1#*=} ;;
    --config) ps_config=$2 ;;
    --parameters) ps_parameters=$2 ;;
    esac
    shift
  done
  printf '%s\0' "$CIRCLE_CONTINUATION_KEY"
  if [ -f "$ps_config" ]; then ps_pass_input <"$ps_config" && printf '\0'; fi
  case $ps_parameters in
  @*) if [ -f "${ps_parameters#@}" ]; then ps_pass_input <"${ps_parameters#@}"; else printf '\0'; fi ;;
  *) printf '%s' "$ps_parameters" ;;
  esac
}

ps_say_input() { # what the answer depends on besides the arguments
  case "$1 $2" in
  "continue --request") ps_pass_input ;;
  "continue "*) ps_say_continuation "$@" ;;
  "tests glob") shift 2 && ps_list_for_patterns "$@" ;;
  "tests split") if [ -f "$3" ]; then ps_pass_input <"$3"; else ps_pass_input; fi ;;
  "tests run") ps_pass_input ;;
  "env subst") if [ $# -lt 3 ]; then ps_pass_input; fi ;;
  esac
}

if [ -z "$PENSTOCK_CONTROL" ]; then
  echo "Error: this command works only inside a job" >&2
  exit 1
fi
case "$1 $2" in
"step halt" | "task halt")
  : >"$PENSTOCK_CONTROL/halt"
  exit
  ;;
esac
ps_take_slot
{
  printf '%s\0' "$#" "$@" "$CIRCLE_NODE_INDEX" "$CIRCLE_NODE_TOTAL" "$PWD"
  ps_say_input "$@"
} >"$PENSTOCK_CONTROL/request-$ps_slot"
echo "ask $ps_slot" >"$PENSTOCK_CONTROL/ask"
read -r ps_code <"$PENSTOCK_CONTROL/answered-$ps_slot"
. "$PENSTOCK_CONTROL/answer-$ps_slot"
echo "done $ps_slot" >"$PENSTOCK_CONTROL/ask"
exit "$ps_code"
