#!/bin/sh
# Starts Prometheus with the token that API and workers ask for, in a file, as Prometheus wants it.
set -eu
if [ -z "${HUISHENG_METRICS_TOKEN:-}" ]; then
    echo "Put HUISHENG_METRICS_TOKEN, 16 characters or more, into .env: API and workers give their figures for it." >&2
    exit 1
fi
umask 077
printf %s "$HUISHENG_METRICS_TOKEN" > /prometheus/.token
exec /bin/prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus \
    --storage.tsdb.retention.time=30d
