#!/bin/sh
# curl, in jobs of setup workflows: a request to continue the pipeline is answered by the agent, in the way
# curl would show the answer of a server. Every other call goes to the next curl on the PATH.
#
# Only what every sh knows is used, because an image may have nothing else.
here=${0%/*}

pass_on() {
  set -f
  old=$IFS
  IFS=:
  for folder in $PATH; do
    if [ "$folder" != "$here" ] && [ -f "$folder/curl" ] && [ -x "$folder/curl" ]; then
      IFS=$old
      exec "$folder/curl" "$@"
    fi
  done
  echo "curl: not found: there is none but for continuing the pipeline" >&2
  exit 127
}

is_ours() {
  for word; do
    case ${word#--url=} in
    http://*/api/v2/pipeline/continue | https://*/api/v2/pipeline/continue) return 0 ;;
    esac
  done
  return 1
}

is_ours "$@" || pass_on "$@"

kind= data= output= format= fail= quiet= include=

take_data() { # KIND VALUE
  if [ -n "$kind" ]; then
    echo "curl: the continuation has one body, and here is another" >&2
    exit 2
  fi
  case $1$2 in
  raw*) kind=text data=$2 ;;
  data@-) kind=input ;;
  data@*) kind=file data=${2#@} ;;
  *) kind=text data=$2 ;;
  esac
}

take() { # OPTION VALUE
  case $1 in
  d | data | data-binary | data-ascii | json) take_data data "$2" ;;
  data-raw) take_data raw "$2" ;;
  o | output) output=$2 ;;
  w | write-out) format=$2 ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
  --fail) fail=yes ;;
  --fail-with-body) fail=body ;;
  --silent) quiet=yes ;;
  --show-error) quiet= ;;
  --include | --show-headers) include=yes ;;
  --data | --data-binary | --data-ascii | --data-raw | --json | --output | --write-out | --request | --header | \
    --retry | --retry-delay | --retry-max-time | --max-time | --connect-timeout | --user | --user-agent | \
    --referer | --cookie | --cookie-jar | --proxy | --cacert | --capath | --cert | --key | --url | --resolve | \
    --dump-header | --config | --limit-rate | --stderr | --trace | --trace-ascii | --oauth2-bearer | --http*-proxy)
    take "${1#--}" "$2"
    if [ $# -gt 1 ]; then shift; fi
    ;;
  --*=*)
    word=${1#--}
    take "${word%%=*}" "${word#*=}"
    ;;
  --*) ;;
  -?*)
    word=${1#-}
    while [ -n "$word" ]; do
      rest=${word#?}
      letter=${word%"$rest"}
      word=$rest
      case $letter in
      f) fail=yes ;;
      s) quiet=yes ;;
      S) quiet= ;;
      i) include=yes ;;
      [dowXHmuAebcxEKDrCTFPQtUYyz])
        if [ -n "$word" ]; then
          take "$letter" "$word"
          word=
        else
          take "$letter" "$2"
          if [ $# -gt 1 ]; then shift; fi
        fi
        ;;
      esac
    done
    ;;
  esac
  shift
done

ask() { # the agent's answer: a status, and below it the body
  case $kind in
  file) "$here/circleci" continue --request <"$data" ;;
  input) "$here/circleci" continue --request ;;
  *) printf '%s' "$data" | "$here/circleci" continue --request ;;
  esac
}

if [ "$kind" = file ] && ! [ -r "$data" ]; then
  echo "curl: (26) Failed to open $data" >&2
  exit 26
fi
if ! answer=$(ask); then
  echo "curl: (7) the agent does not answer" >&2
  exit 7
fi
line='
'
status=${answer%%"$line"*}
body=${answer#*"$line"}
code=0
if [ -n "$fail" ] && [ "$status" -ge 400 ]; then
  code=22
  if [ -z "$quiet" ]; then echo "curl: (22) The requested URL returned error: $status" >&2; fi
  if [ "$fail" = yes ]; then body=; fi
fi
say() {
  if [ -n "$include" ]; then printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\n\r\n' "$status"; fi
  printf '%s' "$body"
}
case $output in
'' | -) say ;;
*) say >"$output" || code=23 ;;
esac
while [ -n "$format" ]; do # what is no status is nothing
  case $format in
  *%\{*\}*)
    after=${format#*%\{}
    printf '%b' "${format%%%\{*}"
    case ${after%%\}*} in
    http_code | response_code) printf '%s' "$status" ;;
    esac
    format=${after#*\}}
    ;;
  *)
    printf '%b' "$format"
    format=
    ;;
  esac
done
exit "$code"
