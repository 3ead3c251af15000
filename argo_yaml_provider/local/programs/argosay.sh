#!/bin/sh
# Says, copies, sleeps or exits, as Argo's own test image does.
set -eu
case ${1:-} in
  '') echo 'hello argo' ;;
  assert_contains) grep -F "$3" "$2" ;;
  cat) cat "$2" ;;
  echo)
    case $# in
      1) echo 'hello argo' ;;
      2) echo "$2" ;;
      3) mkdir -p "$(dirname "$3")" && echo "$2" >"$3" ;;
      *) exit 1 ;;
    esac ;;
  exit) exit "${2:-0}" ;;
  sleep) sleep "$2" ;;
  sh) shift && exec sh "$@" ;;
  *) exit 1 ;;
esac
