# Stores a step's output artifacts side by side, once its main container has ended. What follows defines put_1, put_2, …, each
# of which stores $file, and ends with a line `store …` for each. What became of them is the termination message: a line
# `INDEX saved SIZE`, `INDEX absent` or `INDEX failed MESSAGE` for each.
set -u
home=${ARGO_HOME:-/var/run/argo}

# Ends when the supervisor has packed everything, or has died.
wait_for_main() { cat "$home/$1" >/dev/null; }

# store INDEX
store() {
    file=$home/artifacts/$1
    if [ -e "$file.failed" ]; then say "$1" failed "$(cat "$file.failed")"; return; fi
    if [ ! -e "$file" ]; then say "$1" absent; return; fi
    "describe_$1"
    how=
    [ -z "${rclone:-}" ] || ! has_large "$file" || how=by_itself
    if $how try "put_$1"; then
        say "$1" saved "$(size "$file")"
    else
        say "$1" failed "$why"
    fi
}

# store_many REMOTE INDEX PATH …: what are files, by one process; folders, and all if that fails, are stored one by one.
store_many() {
    remote=$1 files='' rest=''
    shift
    tree=$(mktemp -d)
    while [ $# -gt 0 ]; do
        folder=$tree/$2 folder=${folder%/*}
        if [ -f "$home/artifacts/$1" ] && [ ! -e "$home/artifacts/$1.failed" ] &&
            { [ -d "$folder" ] || mkdir -p "$folder" 2>/dev/null; } && ln -s "$home/artifacts/$1" "$tree/$2" 2>/dev/null; then
            files="$files $1"
        else
            rest="$rest $1"
        fi
        shift 2
    done
    if [ "$files" ] && copy_tree --max-size 64M &&
        { ! has_large "$tree" || by_itself copy_tree --min-size 64M --transfers 1; }; then
        (cd "$home/artifacts" && wc -c $files) | while read -r size name; do
            [ "$name" = total ] || printf '%s saved %s\n' "$name" "$size" >>"$report"
        done
    else
        rest="$rest $files"
    fi
    rm -rf "$tree"
    for one in $rest; do aside store "$one"; done
    wait
}

# What is sent with its checksum, and taken, need not be asked for again.
copy_tree() {
    RCLONE_S3_NO_HEAD=true $rclone copy --copy-links --no-check-dest "$@" "$tree" "$remote" 2>/dev/null
}

# by_itself COMMAND …: large files are sent in parts, which are held in memory: one at a time of all that this container sends.
mkfifo "$private/large"
exec 5<>"$private/large"
echo >&5
by_itself() {
    read -r _ <&5
    transfers=1
    "$@"
    set -- $?
    transfers=
    echo >&5
    return "$1"
}

has_large() { [ -n "$(find -L "$1" -type f -size +65535k | head -n 1)" ]; }

size() {
    if [ -d "$1" ]; then find "$1" -type f -exec cat {} + | wc -c; else wc -c <"$1"; fi
}
