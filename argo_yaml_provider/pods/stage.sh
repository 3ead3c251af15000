# Puts a busybox and the supervisor where the main container finds them, and stays until that one has ended; then it says
# what did not fit into a termination message. $1 is the supervisor's text, $2 that of what packs artifacts, the rest FIFOs that
# containers which store them wait on. The main container starts once `ready` is there.
set -eu
cd /var/run/argo
/bin/busybox cp /bin/busybox busybox
printf '%s' "$1" >supervise
/bin/busybox chmod 755 busybox supervise
[ -z "$2" ] || printf '%s' "$2" >pack
shift 2
/bin/busybox mkfifo -m 666 alive "$@"
: >ready
/bin/busybox cat alive
[ ! -e large ] || /bin/busybox cat large
# Each waits for its reader by itself: one whose container cannot start holds up no other.
for fifo in "$@"; do { : >"$fifo"; } & done
wait
