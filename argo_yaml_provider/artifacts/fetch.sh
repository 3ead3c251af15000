# Fetches a step's input artifacts side by side, before its main container starts. What follows defines get_1, get_2, …, each
# of which puts one artifact at $file, and ends with a line `place_one …` for each.
set -u
failures=$private/failures
: >"$failures"

fail() { printf 'artifact %s failed to load: %s\n' "$1" "$2" | tee -a "$failures" >&2; }

# Main mounts some of what one process brings from where it puts it; only if all else has been moved away is nothing left there.
many=${ARGO_MANY:-/argo/inputs/artifacts/.many} emptied=

# fetch_many REMOTE INDEX PATH …: what are files, by one process; of each that it brings, `brought_INDEX` says where it lies.
# The others are fetched one by one, with a word on what is wrong. To ask for each whether it is there would double the requests.
fetch_many() {
    remote=$1 folder=$many/$2 emptied=yes
    shift
    # The container may have been killed, and this be the next: no half may be taken for the whole.
    [ ! -e "$folder" ] || rm -rf "$folder"
    list=$private/many
    : >"$list"
    for word; do
        if [ "${index:-}" ]; then printf '%s\n' "$word" >>"$list"; index=; else index=$word; fi
    done
    RCLONE_S3_NO_HEAD_OBJECT=true RCLONE_AZUREBLOB_NO_HEAD_OBJECT=true RCLONE_INPLACE=true \
        $rclone copy --files-from-raw "$list" "$remote" "$folder" 2>/dev/null
    # It takes back what it could not bring whole, unless it is killed.
    [ $? -lt 64 ] || { rm -rf "$folder"; return; }
    while [ $# -gt 0 ]; do
        [ ! -f "$folder/$2" ] || eval "brought_$1=\$folder/\$2"
        shift 2
    done
}

# What an attempt left behind must not be taken for the whole.
get() {
    rm -rf "$file"
    "get_$index"
}

# fetch INDEX NAME DESTINATION ARCHIVE OPTIONAL MODE RECURSE
fetch() {
    index=$1 folder=${3%/*} why=
    # Beside its place, but not where another artifact may have that name.
    case $3 in "$many"/*) file=$many/$1.tmp ;; *) file=$3.tmp ;; esac
    "describe_$1"
    [ -d "$folder/" ] || made=$(mkdir -p "$folder" 2>&1) || {
        fail "$2" "its folder ${folder#/mainctrfs} cannot be made: a file is in its place: give the artifact another path ($made)"
        return
    }
    eval "brought=\${brought_$1:-}"
    if [ "$brought" ]; then
        file=$brought
    elif try get && [ ! -e "$file" ]; then
        kind=absent message=
        explain
    fi
    if [ -n "$why" ]; then
        rm -rf "$file"
        [ "$5:$kind" = yes:absent ] || fail "$2" "$why"
        return
    fi
    unpack "$2" "$3" "$4" || return
    [ -z "$6" ] || said=$(chmod ${7:+-R} "$6" "$3" 2>&1) || fail "$2" "its mode cannot be set: give it none ($said)"
}

# place_one …, as `fetch`: at once where there is nothing to do but to put a file that has been brought in its place.
place_one() {
    eval "brought=\${brought_$1:-}"
    case $3 in "$many"/*) emptied= ;; esac
    case $brought:$4 in
        ?*:none) fetch "$@" ;;
        *) aside fetch "$@" ;;
    esac
}

# unpack NAME DESTINATION ARCHIVE: a tar is told by its contents, a zip must be declared, as in Argo.
unpack() {
    case $3 in
        none) tool= ;;
        zip) tool=unpack_zip ;;
        tar) tool=unpack_tar ;;
        *) is_tar && tool=unpack_tar || tool= ;;
    esac
    if [ -z "$tool" ]; then settle "$1" "$file" "$2"; return; fi
    folder=$2.tmpdir
    for left in "$folder" "$folder".*; do [ ! -e "$left" ] || rm -rf "$left"; done
    mkdir -p "$folder"
    problem=$("$tool" 2>&1) || { damaged "$1"; return 1; }
    outside=$(links_outside "$folder")
    [ -z "$outside" ] || { fail "$1" "$place: its archive holds a link that leads out of it: ${outside#"$folder"/}"; return 1; }
    rm -f "$file" "$folder.said"
    if alone "$folder"; then settle "$1" "$only" "$2" && rmdir "$folder"; else settle "$1" "$folder" "$2"; fi
}

damaged() {
    if [ -e "$folder.over" ]; then
        fail "$1" "$place: its archive unpacks to more than $((limit / 1073741824)) GiB: raise [argo_yaml] artifact_unpack_limit"
    elif [ -e "$folder.outside" ]; then
        fail "$1" "$place: its archive holds a name that leads out of it: store it again, without .."
    else
        words=$(printf %s "$problem" | tr '\n' ' ' | head -c 300)
        fail "$1" "$place: its archive is damaged: store it again, or declare archive none if it is no archive ($words)"
    fi
    rm -rf "$folder" "$folder".* "$file"
}

# What a broken archive holds is found by gzip at its end, when tar has long been content; so both are asked.
unpack_tar() {
    { gzip -dc "$file" || : >"$folder.bad"; } | bounded | {
        tar -x -o -f - -C "$folder" 2>"$folder.said" || : >"$folder.bad"
        cat >/dev/null
    }
    if [ -s "$folder.said" ]; then
        cat "$folder.said"
        # Some tars refuse such a name, others cut it.
        if grep -q -e "'\.\.'" -e '\.\./' "$folder.said"; then : >"$folder.outside"; fi
    fi
    [ ! -e "$folder.over" ] && [ ! -e "$folder.outside" ] && [ ! -e "$folder.bad" ]
}

# Passes on as much as an archive may hold, and says so if there is more.
bounded() {
    dd bs=65536 count=$((limit / 65536)) iflag=fullblock 2>/dev/null
    [ -z "$(od -A n -N 1 -t o1)" ] || : >"$folder.over"
}

# The images of the tools have it in their busybox; others may have one of these.
unpack_zip() {
    if command -v unzip >/dev/null; then zip=unzip; elif command -v busybox >/dev/null; then zip="busybox unzip"; else zip=; fi
    if [ -z "$zip" ]; then
        python3 -c 'import sys, zipfile
packed = zipfile.ZipFile(sys.argv[1])
if sum(entry.file_size for entry in packed.infolist()) > int(sys.argv[3]): open(sys.argv[2] + ".over", "w")
elif any(".." in name.split("/") for name in packed.namelist()): open(sys.argv[2] + ".outside", "w")
else: sys.exit(packed.extractall(sys.argv[2]))
sys.exit(1)' "$file" "$folder" "$limit"
        return
    fi
    listed=$($zip -l "$file" 2>"$folder.said") || { cat "$folder.said"; return 1; }
    size=$(printf '%s\n' "$listed" | tail -n 1 | awk '{ print $1 }')
    [ "${size:-0}" -le "$limit" ] || { : >"$folder.over"; return 1; }
    if printf '%s\n' "$listed" | grep -q -e " \.\./" -e "'\.\./" -e '/\.\./' - "$folder.said"; then : >"$folder.outside"; return 1; fi
    # An archive may lie about its size: no file becomes larger than all may be.
    (ulimit -f $((limit / 512 + 1)) && $zip -q "$file" -d "$folder")
}

is_tar() {
    [ -f "$file" ] && gzip -dc "$file" 2>/dev/null | tar -t -f - 2>/dev/null | grep -q .
}

# alone FOLDER: whether it holds a single file or folder, which then is `only`, and takes the artifact's place itself.
alone() {
    found=0 only=
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -e "$entry" ] || [ -L "$entry" ]; then found=$((found + 1)); only=$entry; fi
    done
    [ $found -eq 1 ] || { only=; return 1; }
}

# settle NAME SOURCE DESTINATION: as Argo's rename, never into a folder that is there.
settle() {
    if [ -d "$3" ] && ! { [ -d "$2" ] && rmdir "$3" 2>/dev/null; }; then
        fail "$1" "${3#/mainctrfs} is a folder already: give the artifact another path"
        return 1
    fi
    if [ -e "$3" ] && [ -d "$2" ]; then
        fail "$1" "${3#/mainctrfs} is a file, and the artifact a folder: give it another path"
        return 1
    fi
    [ "$2" = "$3" ] || mv -f "$2" "$3" 2>"$private/moved.$index" || {
        fail "$1" "it cannot be put at ${3#/mainctrfs}: $(cat "$private/moved.$index")"
        return 1
    }
}

links_outside() {
    root=$(cd "$1" && pwd -P)
    find "$1" -type l | while IFS= read -r link; do
        target=$(readlink "$link")
        case $target in
            /*) echo "$link" && break ;;
            *..*)
                there=$(cd "$(dirname "$link")" 2>/dev/null && cd "$(dirname "$target")" 2>/dev/null && pwd -P)
                case $there/ in "$root"/*) ;; *) echo "$link" && break ;; esac
                ;;
        esac
    done
}

finish() {
    wait
    [ -z "$emptied" ] || rm -rf "$many"
    if [ -s "$failures" ]; then printf %s "$(head -c 2000 "$failures")" >"${TERMINATION_LOG:-/dev/termination-log}"; exit 64; fi
}
