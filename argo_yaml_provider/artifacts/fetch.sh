# Fetches a step's input artifacts side by side, before its main container starts. What follows defines get_1, get_2, …, each
# of which puts one artifact at $file, and ends with a line `fetch …` for each.
set -u
failures=/tmp/argo-failures.$$
: >"$failures"

fail() { printf 'artifact %s failed to load: %s\n' "$1" "$2" | tee -a "$failures" >&2; }

# What an attempt left behind must not be taken for the whole.
get() { rm -rf "$file"; "get_$index"; }

# fetch INDEX NAME DESTINATION ARCHIVE OPTIONAL MODE RECURSE
fetch() {
    index=$1 file=$3.tmp why=
    "describe_$1"
    mkdir -p "$(dirname "$file")"
    if try get && [ ! -e "$file" ]; then kind=absent message=; explain; fi
    if [ -n "$why" ]; then
        rm -rf "$file"
        [ "$5:$kind" = yes:absent ] || fail "$2" "$why"
        return
    fi
    unpack "$2" "$3" "$4" || return
    [ -z "$6" ] || chmod ${7:+-R} "$6" "$3"
}

# unpack NAME DESTINATION ARCHIVE: a tar is told by its contents, a zip must be declared, as in Argo.
unpack() {
    case $3 in
        none) tool= ;;
        zip) tool='unpack_zip "$file" "$folder"' ;;
        tar) tool='gzip -dc "$file" | tar -x -o -f - -C "$folder"' ;;
        *) is_tar && tool='gzip -dc "$file" | tar -x -o -f - -C "$folder"' || tool= ;;
    esac
    if [ -z "$tool" ]; then mv "$file" "$2"; return; fi
    folder=$2.tmpdir
    mkdir -p "$folder"
    problem=$(eval "$tool" 2>&1) || { fail "$1" "its archive is damaged: $problem"; return 1; }
    outside=$(links_outside "$folder")
    [ -z "$outside" ] || { fail "$1" "its archive holds a link that leads out of it: $outside"; return 1; }
    rm -f "$file"
    set -- "$2" "$folder"/* "$folder"/.[!.]* "$folder"/..?*
    place "$@"
}

# The images of the tools have it in their busybox; others may have one of these.
unpack_zip() {
    if command -v unzip >/dev/null; then
        unzip -q "$1" -d "$2"
    elif command -v busybox >/dev/null; then
        busybox unzip -q "$1" -d "$2"
    else
        python3 -m zipfile -e "$1" "$2"
    fi
}

is_tar() {
    [ -f "$file" ] && gzip -dc "$file" 2>/dev/null | tar -t -f - 2>/dev/null | head -n 1 | grep -q .
}

# A single file or folder takes the artifact's place itself.
place() {
    destination=$1
    shift
    found=0
    for entry; do
        if [ -e "$entry" ] || [ -L "$entry" ]; then found=$((found + 1)); only=$entry; fi
    done
    if [ $found -eq 1 ]; then mv "$only" "$destination" && rmdir "$folder"; else mv "$folder" "$destination"; fi
}

links_outside() {
    root=$(cd "$1" && pwd -P)
    find "$1" -type l | while IFS= read -r link; do
        target=$(readlink "$link")
        case $target in
            /*) echo "$link" ;;
            *..*)
                there=$(cd "$(dirname "$link")" 2>/dev/null && cd "$(dirname "$target")" 2>/dev/null && pwd -P)
                case $there/ in "$root"/*) ;; *) echo "$link" ;; esac
                ;;
        esac
    done | head -n 1
}

finish() {
    wait
    if [ -s "$failures" ]; then head -c 2000 "$failures" >"${TERMINATION_LOG:-/dev/termination-log}"; exit 64; fi
}
