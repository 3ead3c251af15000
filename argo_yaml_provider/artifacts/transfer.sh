# What fetching and storing share. Before each artifact its own text sets, for messages: `place`, where it lies; `access` and
# `bucket`, what to do where the store refuses, or has no such bucket; `lacking`, a secret that is not there.
attempts=${ARGO_TRANSFER_ATTEMPTS:-6}
# For what a tool takes from files only (keys, certificates), and for what this script keeps in files.
private=$(umask 077; mktemp -d)
trap 'rm -rf "$private"' EXIT

# aside COMMAND …: beside what else goes on, but not more than $slots at once.
mkfifo "$private/slots"
exec 4<>"$private/slots"
seq "$slots" >&4
aside() {
    read -r _ <&4
    { "$@"; echo >&4; } &
}

# try FUNCTION: again and again for three quarters of a minute, but not where the store has said no. `why` says how it ended.
try() {
    kind=lacking message=
    [ -z "$lacking" ] || { explain; return 1; }
    attempt=0
    while :; do
        message=$("$1" 2>&1 >/dev/null) && return 0
        attempt=$((attempt + 1))
        judge "$message"
        if [ $kind != away ] || [ $attempt -ge "$attempts" ]; then explain; return 1; fi
        sleep $((attempt * 3))
    done
}

# judge MESSAGE: what kind of failure the tool speaks of.
judge() {
    case $1 in
        *NoSuchBucket* | *ContainerNotFound* | *"bucket does not exist"* | *"bucket doesn't exist"* | *"googleapi: Error 404"*) kind=bucket ;;
        *"does not appear to be a git repository"* | *"not a git repository"*) kind=bucket ;;
        *repository*"not found"*) kind=bucket ;;
        *"Host key verification failed"* | *"HOST IDENTIFICATION HAS CHANGED"*) kind=stranger ;;
        *"certificate verif"* | *"certificate problem"* | *x509:*) kind=stranger ;;
        *"certificate required"* | *"bad certificate"* | *"alert handshake failure"* | *"alert certificate "*) kind=refused ;;
        *"alert unknown ca"* | *"alert decrypt error"* | *"alert unsupported certificate"* | *"alert access denied"*) kind=refused ;;
        *AccessDenied* | *Forbidden* | *InvalidAccessKeyId* | *SignatureDoesNotMatch* | *AuthorizationFailure* | *AuthenticationFailed*) kind=refused ;;
        *"error: 40"[13]* | *"status code: 40"[13]* | *"StatusCode: 40"[13]* | *"googleapi: Error 40"[13]*) kind=refused ;;
        *"Authentication failed"* | *"ermission denied"* | *"could not read Username"* | *"could not read Password"*) kind=refused ;;
        *invalid_grant* | *invalid_client* | *unauthorized_client* | *"cannot fetch token: 40"*) kind=refused ;;
        *"failed to parse credentials"* | *"error processing credentials"* | *"illegal base64"* | *"private key"* | *"error in libcrypto"*) kind=refused ;;
        *NoSuchKey* | *BlobNotFound* | *"error: 404"* | *"error: 410"* | *"object not found"* | *"directory not found"*) kind=absent ;;
        *"couldn't find remote ref"* | *"Remote branch"*"not found"* | *"not our ref"*) kind=absent ;;
        *"No space left"*) kind=full ;;
        *"rclone 1."[0-9]*" or newer is needed"*) kind=old ;;
        *"error: 408"* | *"error: 429"*) kind=away ;;
        *"no token: the token URL answered: "?*) kind=wrong ;;
        *"error: 4"[0-9][0-9]*) kind=wrong ;;
        *) kind=away ;;
    esac
}

# Fills `why`: where, what, what to do, and the tool's own words, without times, signatures and line ends.
explain() {
    words=$(printf %s "$message" | tr '\n\t' '  ' | sed -e 's#[0-9]\{4\}/[0-9][0-9]/[0-9][0-9] [0-9:]\{8\} ##g' \
        -e 's/\([?&]sig=\)[^& "]*/\1…/g' -e 's/---*//g' -e 's/  */ /g' -e 's/^ //' | head -c 240)
    case $kind in
        lacking) why="$place: $lacking" ;;
        refused) why="$place: the store refuses the credentials: $access" ;;
        bucket) why="$place: there is no such place: $bucket" ;;
        stranger) why="$place: the store cannot prove who it is: name the authority or the host key that it has" ;;
        absent) why="$place: nothing lies at its key: store it first, or declare the artifact optional" ;;
        full) why="$place: the volume of the pod is full: raise its ephemeral-storage" ;;
        old) why="$place: the store needs a newer tool: name its image in [argo_yaml] artifact_images" ;;
        wrong) why="$place: the store does not take the request: correct the location" ;;
        *) why="$place: the store does not answer, tried $attempt times: see that it is up, and its address right" ;;
    esac
    [ -z "$words" ] || why="$why ($words)"
}

# quoted TEXT: as it stands between the quotes of curl's configuration.
quoted() { printf %s "$1" | sed 's/[\\"]/\\&/g'; }

# url_encoded TEXT, byte by byte.
url_encoded() {
    printf %s "$1" | od -A n -v -t o1 | tr -s ' ' '\n' | while read -r byte; do
        [ -n "$byte" ] || continue
        case $byte in
            05[56] | 06[0-7] | 07[01] | 10[1-7] | 11? | 12? | 13[0-2] | 137 | 14[1-7] | 15? | 16? | 17[0-2] | 176) printf "\\$byte" ;;
            *) printf %%%02X "0$byte" ;;
        esac
    done
}

# access_token REPLY: the token in an OAuth2 server's reply, which is JSON.
access_token() {
    token=$(printf %s "$1" | tr -d '\n' | sed -n 's/.*"access_token"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' | sed 's#\\/#/#g')
    [ -n "$token" ] && printf %s "$token" && return
    echo "no token: the token URL answered: $(printf %s "$1" | head -c 200)" >&2
    return 1
}

# newer_rclone N: fails where rclone is older than 1.N.
newer_rclone() {
    minor=$(rclone version | sed -n '1s/^rclone v1\.\([0-9]*\).*/\1/p')
    [ "${minor:-$1}" -ge "$1" ] || { echo "rclone 1.$1 or newer is needed, and this is 1.$minor" >&2; return 1; }
}
