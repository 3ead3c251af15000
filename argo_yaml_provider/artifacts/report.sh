# What became of each artifact, a line each: the container's termination message.
report=/tmp/argo-report.$$
: >"$report"

# In one write: others say something at the same time.
say() {
    line=$(printf '%s' "$*" | head -c 800 | tr '\n' ' ' | sed 's/ *$//')
    printf '%s\n' "$line" >>"$report"
}

finish() {
    wait
    cat "$report" >"${TERMINATION_LOG:-/dev/termination-log}"
}
