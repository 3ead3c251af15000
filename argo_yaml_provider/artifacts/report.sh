# What became of each artifact, a line each: the container's termination message, or, where they are too many for one, its log.
report=$private/report
: >"$report"

# In one write: others say something at the same time.
say() {
    line=$(printf '%s' "$*" | head -c 800 | tr '\n' ' ' | sed 's/ *$//')
    printf '%s\n' "$line" >>"$report"
}

finish() {
    wait
    said=$report size=$(wc -c <"$report")
    if [ "$size" -gt "${ARGO_REPORT_LIMIT:-2048}" ]; then
        sed 's/^/argo-report: /' "$report"
        said=$report.large
        echo "large" $size >"$said"
    fi
    cat "$said" >"${TERMINATION_LOG:-/dev/termination-log}"
}
