# list.sh FOLDER [follow]: every entry below the folder, as `KIND PATH` and a zero byte.
#
# Kinds: f file, d folder, o other; F and D when that is what a link leads to, l a link to something else.
# With `follow` linked folders are entered too, unless they lead back to one on the way down.
follow=$2
list() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -L "$entry" ]; then
      if [ -f "$entry" ]; then printf 'F %s\0' "$entry"
      elif [ -d "$entry" ]; then
        printf 'D %s\0' "$entry"
        if [ -n "$follow" ] && leads_on "$entry" "$@"; then list "$entry" "$@"; fi
      else printf 'l %s\0' "$entry"; fi
    elif [ -d "$entry" ]; then
      printf 'd %s\0' "$entry"
      list "$entry" "$@"
    elif [ -f "$entry" ]; then printf 'f %s\0' "$entry"
    elif [ -e "$entry" ]; then printf 'o %s\0' "$entry"
    fi
  done
}
leads_on() {
  link=$1
  shift
  for above; do
    if [ "$link" -ef "$above" ]; then return 1; fi
  done
}
list "${1%/}"
