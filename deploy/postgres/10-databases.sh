#!/bin/sh
# Runs once, when the volume is empty: one database for Huisheng and two for Temporal, each with an account of its own.
set -eu

psql --username postgres --dbname postgres --set ON_ERROR_STOP=1 \
    --set huisheng="$HUISHENG_DATABASE_PASSWORD" --set temporal="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE huisheng LOGIN PASSWORD :'huisheng';
CREATE DATABASE huisheng OWNER huisheng;
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
