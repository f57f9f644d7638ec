#!/bin/sh
# Makes Temporal's tables and brings them up to date; what is there already stays as it is, so it may run at every start.
set -eu

tables_of() {
    database=$1
    schema=$2
    temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p 5432 -u "$SQL_USER" --db "$database" setup-schema -v 0.0
    temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p 5432 -u "$SQL_USER" --db "$database" update-schema \
        -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

tables_of temporal temporal
tables_of temporal_visibility visibility
