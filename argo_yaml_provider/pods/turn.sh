# Runs one container of a containerSet in its turn: after those it depends on, and as often as the set's retryStrategy says.
#   turn NAME ATTEMPTS SECONDS DEPENDENCY… -- COMMAND [ARGUMENT]…
# It leaves its exit code in /var/run/argo/turn-NAME. One that waits for a container that failed exits with 64, as in Argo.
home=/var/run/argo
bb=$home/busybox
name=$1 attempts=$2 seconds=$3 pid= killed=
shift 3

finish() {
    echo "$1" >"$home/turn-$name.new"
    "$bb" mv "$home/turn-$name.new" "$home/turn-$name"
    exit "$1"
}
forward() {
    killed=$1
    if [ -n "$pid" ]; then kill "-$2" "$pid" 2>/dev/null; else finish "$1"; fi
}
trap 'forward 143 TERM' TERM
trap 'forward 130 INT' INT

while [ "$1" != -- ]; do
    until [ -e "$home/turn-$1" ]; do "$bb" sleep 0.05; done
    read -r code <"$home/turn-$1"
    if [ "$code" != 0 ]; then
        message="dependency \"$1\" exited with non-zero code: $code"
        echo "$message" >&2
        printf %s "$message" 2>/dev/null >/dev/termination-log
        finish 64
    fi
    shift
done
shift

while :; do
    "$@" <&0 &
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
