# Lists what lies below an artifact's key. What precedes this defines `list`, which writes it to $file.
try list || {
    printf '%s\n' "$why" | tee "${TERMINATION_LOG:-/dev/termination-log}" >&2
    exit 64
}
