# Runs one container of a containerSet in its turn: after those it depends on, and as often as the set's retryStrategy says.
#   turn NAME ATTEMPTS SECONDS LOG DEPENDENCY… -- OTHER… -- COMMAND [ARGUMENT]…
# It leaves its exit code in /var/run/argo/turn-NAME, and then stays until the OTHERs have ended, whose files it may hand on.
# One that waits for a container that failed exits with 64, as in Argo. Where LOG is not empty, what the command says, at
# each of its attempts, is kept in /var/run/argo/log-NAME, too.
home=/var/run/argo
bb=$home/busybox
name=$1 attempts=$2 seconds=$3 log=$4 pid= killed= needs= others= tees=
shift 4
while [ "$1" != -- ]; do needs="$needs $1"; shift; done
shift
while [ "$1" != -- ]; do others="$others $1"; shift; done
shift

# As long as this process lives, however it ends, somebody can be written to here.
"$bb" mkfifo -m 666 "$home/lives-$name.new"
exec 7<>"$home/lives-$name.new"
"$bb" mv "$home/lives-$name.new" "$home/lives-$name"

is_dead() {
    [ -e "$home/lives-$1" ] && ! "$bb" timeout 2 "$bb" sh -c ': >"$1"' sh "$home/lives-$1" && [ ! -e "$home/turn-$1" ]
}
await() {
    polls=0
    until [ -e "$home/turn-$1" ]; do
        polls=$(((polls + 1) % 20))
        if [ $polls = 0 ] && is_dead "$1" 2>/dev/null; then
            code=137
            return
        fi
        "$bb" sleep 0.05
    done
    read -r code <"$home/turn-$1"
}
finish() {
    end_log
    echo "$1" >"$home/turn-$name.new"
    "$bb" mv "$home/turn-$name.new" "$home/turn-$name"
    [ -n "$killed" ] || for other in $others; do await "$other"; done
    exit "$1"
}
begin_log() {
    (umask 0; : >"$home/log-$name")
    "$bb" mkfifo "$home/stdout-$name" "$home/stderr-$name"
    "$bb" tee -a "$home/log-$name" <"$home/stdout-$name" 7>&- &
    tees=$!
    "$bb" tee -a "$home/log-$name" <"$home/stderr-$name" >&2 7>&- &
    tees="$tees $!"
    exec 5>"$home/stdout-$name" 6>"$home/stderr-$name"
}
end_log() {
    [ -n "$tees" ] || return 0
    exec 5>&- 6>&-
    # What the command left behind may hold them open for ever.
    { "$bb" sleep 2; kill $tees; } >/dev/null 2>&1 7>&- &
    guard=$! ends=$tees tees=
    for tee in $ends; do wait "$tee"; done
    kill $guard 2>/dev/null
}
forward() {
    killed=$1
    if [ -n "$pid" ]; then kill "-$2" "$pid" 2>/dev/null; else finish "$1"; fi
}
trap 'forward 143 TERM' TERM
trap 'forward 130 INT' INT

for need in $needs; do
    await "$need"
    if [ "$code" != 0 ]; then
        message="dependency \"$need\" exited with non-zero code: $code"
        echo "$message" >&2
        printf %s "$message" 2>/dev/null >/dev/termination-log
        finish 64
    fi
done

exec 5>&1 6>&2
[ -z "$log" ] || begin_log
while :; do
    "$@" <&0 >&5 2>&6 5>&- 6>&- 7>&- &
    pid=$!
    wait "$pid"
    code=$?
    while kill -0 "$pid" 2>/dev/null; do
        wait "$pid"
        code=$?
    done
    pid=
    attempts=$((attempts - 1))
    if [ "$code" = 0 ] || [ "$attempts" -lt 1 ] || [ -n "$killed" ]; then finish "$code"; fi
    "$bb" sleep "$seconds"
done
