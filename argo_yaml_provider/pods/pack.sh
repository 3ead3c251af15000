# Packs what the step gives, each artifact to artifacts/INDEX beside the supervisor, which reads this file when the command
# has ended: there whole or not at all. What cannot be packed says why in artifacts/INDEX.failed; one that is not there says nothing.
store=$home/artifacts
"$bb" mkdir -p "$store"

# pack_… INDEX LEVEL PATH
pack_tar() {
    [ -e "$3" ] || return 0
    path=$("$bb" readlink -f "$3") || path=$3
    if [ "${path##*/}" != "${3##*/}" ]; then
        "$bb" mkdir -p "$work/linked"
        "$bb" cp -R "$path" "$work/linked/${3##*/}" 2>"$store/$1.why" || { failed "$1"; return 0; }
        path=$work/linked/${3##*/}
    fi
    folder=${path%/*}
    { "$bb" tar -c -f - -C "${folder:-/}" -- "${path##*/}" 2>"$store/$1.why" || : >"$store/$1.bad"; } |
        "$bb" gzip -c "-$2" >"$store/$1.part" 2>>"$store/$1.why" || : >"$store/$1.bad"
    done_with "$1"
}

pack_none() {
    [ -e "$3" ] || return 0
    if [ -d "$3" ]; then
        "$bb" cp -R "$3" "$store/$1.part" 2>"$store/$1.why" || : >"$store/$1.bad"
        [ ! -d "$store/$1.part" ] || "$bb" chmod -R a+rX "$store/$1.part"
    else
        "$bb" cat "$3" >"$store/$1.part" 2>"$store/$1.why" || : >"$store/$1.bad"
    fi
    done_with "$1"
}

pack_log() {
    [ ! -f "$work/combined" ] || "$bb" mv "$work/combined" "$store/$1"
}

done_with() {
    if [ -e "$store/$1.bad" ]; then failed "$1"; else "$bb" mv "$store/$1.part" "$store/$1"; fi
}

failed() {
    "$bb" mv "$store/$1.why" "$store/$1.failed"
    [ -s "$store/$1.failed" ] || echo "it could not be packed: is the disk full?" >"$store/$1.failed"
    "$bb" rm -rf "$store/$1.part"
}
