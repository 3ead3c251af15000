#!/var/run/argo/busybox sh
# Runs a step's command as if it were alone in its container, then hands on what the step is to give.
#
#   supervise [--result] [--combined] [--limit BYTES] [--log PATH] [--output PATH]… -- COMMAND [ARGUMENT]…
#
# Beside this script there may be `pack`, which packs artifacts; --combined keeps stdout and stderr for it.
# --result keeps the end of stdout, each --output a file's contents. They leave as base64(gzip(tar)) of the files
# `result`, `1`, `2`, … and `message`: in the container's termination message (--log) if they fit into --limit, else as
# the log of the container that staged this script, which waits for this one to end. The exit code is the command's own.
# Every tool is the busybox beside this script: the image may have none.
home=${0%/*}
bb=$home/busybox
work=$home/work
log=/dev/termination-log
limit=4096
keep=262145      # Argo's 256 KiB, and the newline that is trimmed
most=6291456     # what a container's log holds without being rotated
result= combined= pid= early= interrupted= sinks= tees=

wanted=$(umask)
umask 0
"$bb" mkdir -p "$work/out"

count=0
while :; do
    case $1 in
        --result) result=yes ;;
        --combined) combined=$home/log-main ;;
        --limit) limit=$2; shift ;;
        --log) log=$2; shift ;;
        --output) count=$((count + 1)); eval "output$count=\$2"; shift ;;
        *) shift; break ;;
    esac
    shift
done

# The container that staged this script ends when this descriptor is closed, however that comes about.
exec 8>"$home/alive"

hand_on() {
    [ ! -e "$home/pack" ] || . "$home/pack"
    [ -s "$log" ] && "$bb" cat "$log" >"$work/out/message"
    index=0
    while [ $index -lt $count ]; do
        index=$((index + 1))
        eval "path=\$output$index"
        [ -f "$path" ] && [ -r "$path" ] && "$bb" cat "$path" >"$work/out/$index"
    done
    "$bb" tar -c -C "$work/out" . | "$bb" gzip | "$bb" base64 >"$work/blob"
    size=$("$bb" wc -c <"$work/blob")
    if [ "$size" -le "$limit" ]; then
        "$bb" cat "$work/blob" >"$log"
    elif [ "$size" -le $most ]; then
        "$bb" mv "$work/blob" "$home/large"
        echo "large $size" >"$log"
    else
        echo "excess $size" >"$log"
    fi
}

refuse() {
    echo "$1" >&2
    printf %s "$1" >"$log"
    hand_on
    exit 64
}

# As Argo: the program is looked for before it is started, and 64 says that there is none.
case $1 in
    */*) program=$1 ;;
    *)
        program=
        IFS=:
        for folder in $PATH; do
            if [ -z "$program" ] && [ -f "$folder/$1" ] && [ -x "$folder/$1" ]; then program=$folder/$1; fi
        done
        unset IFS
        [ -n "$program" ] || refuse "failed to find name in PATH: exec: \"$1\": executable file not found in \$PATH"
        ;;
esac
[ -f "$program" ] || refuse "failed to start command: $program: no such file"
[ -x "$program" ] || refuse "failed to start command: $program: permission denied"
shift

forward() {
    interrupted=yes
    if [ -n "$pid" ]; then kill -"$1" "$pid" 2>/dev/null; else early="$early $1"; fi
}
for signal in HUP INT QUIT USR1 USR2 ALRM TERM CONT TSTP TTIN TTOU URG WINCH PWR; do
    trap "forward $signal" $signal
done

exec 5>&1 6>&2
if [ -n "$result" ]; then
    "$bb" mkfifo "$work/tail"
    "$bb" tail -c $keep <"$work/tail" >"$work/out/result" 8>&- &
    tail=$!
    sinks=$work/tail
fi
if [ -n "$combined" ]; then
    "$bb" mkfifo "$work/stderr"
    : >"$combined"
    sinks="$sinks $combined"
    "$bb" tee -a "$combined" <"$work/stderr" >&2 8>&- &
    tees=$!
    exec 6>"$work/stderr"
fi
if [ -n "$sinks" ]; then
    "$bb" mkfifo "$work/stdout"
    "$bb" tee -a $sinks <"$work/stdout" 6>&- 8>&- &
    tees="$! $tees"
    exec 5>"$work/stdout"
fi

# Started by a process substitution, because a background job would ignore SIGINT and SIGQUIT. The inner shell says its
# process id and becomes the command, with just the environment that this script was given: a shell drops names it does not like.
start='
    echo $$ >&4
    umask "$2"
    environment=/proc/$3/environ bb=$1 count=$(($# - 3))
    shift 3
    while IFS= read -r -d "" entry; do set -- "$@" "$entry"; done <"$environment"
    while [ $count -gt 0 ]; do set -- "$@" "$1"; shift; count=$((count - 1)); done
    exec "$bb" env -i -- "$@" 4>&-
'
exec 9< <(
    exec 2>/dev/null
    (exec "$bb" sh -c "$start" sh "$bb" "$wanted" $$ "$program" "$@" 4>&1 >&5 2>&6 5>&- 6>&- 8>&-)
    echo $?
)
exec 5>&- 6>&-

answer() {
    until read -r "$1" <&9; do
        [ -n "$interrupted" ] || return 1
        interrupted=
    done
}
answer pid
for signal in $early; do kill -"$signal" "$pid"; done
answer code || code=137

# A signal ends `wait` early, after its trap has run.
wait_for() {
    interrupted=
    wait "$1"
    while [ -n "$interrupted" ]; do
        interrupted=
        wait "$1"
    done
}

if [ -n "$tees" ]; then
    {
        # What the command left behind may hold stdout open for ever.
        { "$bb" sleep 2; kill $tees; } 8>&- &
        guard=$!
        for tee in $tees; do wait_for "$tee"; done
        kill $guard
        [ -z "$result" ] || wait_for "$tail"
    } 2>/dev/null
fi
hand_on
# Said in the supervisor's log too, where it is heard at once: the kubelet looks at its containers once a second.
if [ "$code" = 0 ] && [ ! -e "$home/large" ] && [ ! -e "$home/pack" ]; then
    (trap '' PIPE; echo "argo-ended: $("$bb" tr '\n' ' ' <"$log")" >&8) 2>/dev/null
fi
exit "$code"
