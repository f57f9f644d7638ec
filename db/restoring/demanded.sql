-- What was demanded to be erased after the backup; the rows follow, and then demand.sql.
create temporary table demanded (
    request_id uuid, reference text, demanded_at timestamptz, demanded_by text, reason_sealed bytea
) on commit drop;
copy demanded from stdin;
