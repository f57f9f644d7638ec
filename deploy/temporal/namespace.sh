#!/bin/sh
# Makes the namespace, sets how long closed runs are kept, and registers the search attributes; may run at every start.
set -eu

# A new namespace is known to all of the server only after some seconds.
patiently() {
    tries=60
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 1
    done
}

patiently temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1 \
    || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
patiently temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

# The same list as SEARCH_ATTRIBUTES in supervision/temporal.py; a test compares them.
known=$(patiently temporal operator search-attribute list)
for attribute in Reference=Keyword State=Keyword Department=Keyword Category=Keyword District=Keyword Urgency=Keyword \
    EscalationLevel=Int DueAt=Datetime; do
    name=${attribute%%=*}
    echo "$known" | grep -qw "$name" \
        || patiently temporal operator search-attribute create --name "$name" --type "${attribute##*=}"
done
