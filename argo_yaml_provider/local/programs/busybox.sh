#!/bin/sh
# Stands in for busybox where the machine has none: an applet is the program of that name.
applet=${0##*/}
if [ "$applet" = busybox ]; then
  case ${1:-} in
    '' | --help) echo 'busybox (stand-in): busybox APPLET ARGUMENTS…'; exit 0 ;;
    --list) IFS=:; for folder in $PATH; do ls "$folder" 2>/dev/null; done | sort -u; exit 0 ;;
  esac
  applet=$1
  shift
fi
# busybox's shell knows process substitution, as bash does and dash does not
case $applet in sh | ash) [ ! -x /bin/bash ] || exec /bin/bash "$@" ;; esac
IFS=:
for folder in ${PATH:-/usr/bin:/bin} /usr/bin /bin /usr/sbin /sbin; do
  program=$folder/$applet
  if [ -x "$program" ] && [ ! -d "$program" ] && ! [ "$program" -ef "$0" ]; then
    unset IFS
    exec "$program" "$@"
  fi
done
echo "busybox: $applet: applet not found: this machine has neither busybox nor a program of that name" >&2
exit 127
