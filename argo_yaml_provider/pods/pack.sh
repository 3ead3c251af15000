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

# pack_log INDEX CONTAINER: one that never began has none.
pack_log() {
    [ ! -f "$home/log-$2" ] || "$bb" mv "$home/log-$2" "$store/$1"
}

done_with() {
    if [ -e "$store/$1.bad" ]; then failed "$1"; else "$bb" mv "$store/$1.part" "$store/$1"; fi
}

failed() {
    "$bb" mv "$store/$1.why" "$store/$1.failed"
    [ -s "$store/$1.failed" ] || echo "it could not be packed: is the disk full?" >"$store/$1.failed"
    "$bb" rm -rf "$store/$1.part"
}

# There is no zip in a busybox, but a gzip holds all that one entry of a zip needs: the deflated bytes, then their CRC and size.
# As Argo's it holds files alone, in the order of a walk, without times and modes; of what is no file, such as a link, the name.
pack_zip() {
    [ -e "$3" ] || return 0
    part=$store/$1.part central=$work/zip-central packed=$work/zip-entry offset=0 entries=0
    folder=${3%/*} top=${3##*/}
    : >"$part" && : >"$central" || : >"$store/$1.bad"
    (cd "${folder:-/}" && "$bb" find -H "$top" ! -type d -print0) >"$work/zip-found" 2>"$store/$1.why" || : >"$store/$1.bad"
    "$bb" tr / '\001' <"$work/zip-found" | LC_ALL=C "$bb" sort -z | "$bb" tr '\001' / >"$work/zip-names"
    while IFS= read -r -d "" name; do
        source=${folder:-/}/$name
        if [ ! -f "$source" ] || { [ -L "$source" ] && [ "$name" != "$top" ]; }; then source=/dev/null; fi
        zip_entry "$source" 2>>"$store/$1.why" || { : >"$store/$1.bad"; break; }
    done <"$work/zip-names"
    size=$("$bb" wc -c <"$central")
    { "$bb" cat "$central"; printf 'PK\005\006'; little 0 4; little $entries 2; little $entries 2; little "$size" 4
        little $offset 4; little 0 2; } >>"$part" || : >"$store/$1.bad"
    if [ $offset -gt 4294967295 ] || [ $entries -gt 65535 ]; then
        echo "a zip holds no more than 4 GiB and 65,535 files: use archive tar" >"$store/$1.why"
        : >"$store/$1.bad"
    fi
    done_with "$1"
}

zip_entry() {
    "$bb" gzip -c <"$1" >"$packed" || return 1
    deflated=$(($("$bb" wc -c <"$packed") - 18)) length=$(printf %s "$name" | "$bb" wc -c)
    { little 20 2; little 2048 2; little 8 2; little 0 4
        "$bb" tail -c 8 "$packed" | "$bb" head -c 4; little $deflated 4; "$bb" tail -c 4 "$packed"
        little "$length" 2; little 0 2; } >"$packed.head"
    { printf 'PK\003\004'; "$bb" cat "$packed.head"; printf %s "$name"
        "$bb" tail -c +11 "$packed" | "$bb" head -c $deflated; } >>"$part" || return 1
    { printf 'PK\001\002'; little 20 2; "$bb" cat "$packed.head"; little 0 4; little 0 2; little 0 4
        little $offset 4; printf %s "$name"; } >>"$central" || return 1
    offset=$((offset + 30 + length + deflated)) entries=$((entries + 1))
}

# little VALUE BYTES
little() {
    value=$1 left=$2 bytes=
    while [ "$left" -gt 0 ]; do
        bytes="$bytes\\$(printf %03o $((value & 255)))" value=$((value >> 8)) left=$((left - 1))
    done
    printf "$bytes"
}
