#!/bin/sh
# A receiver of Goodwill's webhooks in shell, with openssl: one HTTP request on standard input, its answer on standard
# output. Whatever hands over connections runs it; here WEBHOOK_SECRET=whsec_… is set:
#
#   socat TCP-LISTEN:8400,bind=127.0.0.1,reuseaddr,fork EXEC:./receiver.sh
#
# It answers 204 to what is proved to come from Goodwill, and 4xx to all else. Goodwill sends a message again until it
# gets 2xx, always with the same webhook-id: do once what you do for an id. openssl takes the key on its command line:
# run this where nobody else can list your processes.
set -eu

tolerance_seconds=300 # older than that, a message may be a recording
body_bytes_max=1000000

answer() {
    printf 'HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' "$1"
    exit 0
}

mac() { # of standard input, in base64
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A
}

id='' timestamp='' signatures='' length='' carriage_return=$(printf '\r')
IFS= read -r request_line || answer '400 Bad Request'
while IFS= read -r line && line=${line%"$carriage_return"} && [ -n "$line" ]; do
    value=${line#*:} value=${value# }
    case $(printf '%s' "${line%%:*}" | tr '[:upper:]' '[:lower:]') in
        webhook-id) id=$value ;;
        webhook-timestamp) timestamp=$value ;;
        webhook-signature) signatures=$value ;;
        content-length) length=$value ;;
    esac
done
case $request_line in 'POST '*) ;; *) answer '405 Method Not Allowed' ;; esac
case $length in '' | *[!0-9]* | ????????*) answer '413 Content Too Large' ;; esac
[ "$length" -le "$body_bytes_max" ] || answer '413 Content Too Large'
case $timestamp in '' | 0?* | *[!0-9]* | ?????????????*) answer '401 Unauthorized' ;; esac
age=$(($(date +%s) - timestamp))
[ "$age" -le "$tolerance_seconds" ] && [ "$age" -ge "-$tolerance_seconds" ] || answer '401 Unauthorized'

body=$(mktemp) # the bytes as they came: a shell variable would lose some
trap 'rm -f "$body"' EXIT
head -c "$length" >"$body"
key=$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected="v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat "$body"; } | mac)"

# Compared are MACs of the signatures, so that the time that takes tells nothing about the signature expected. While a
# secret is being replaced there are several signatures.
expected_mac=$(printf '%s' "$expected" | mac)
set -f
for signature in $signatures; do
    if [ "$(printf '%s' "$signature" | mac)" = "$expected_mac" ]; then
        echo "$id $(head -c 200 "$body")" >&2 # here you do what is to be done
        answer '204 No Content'
    fi
done
answer '401 Unauthorized'
