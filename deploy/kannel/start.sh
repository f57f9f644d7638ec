# Starts bearerbox, then smsbox; when either ends, so does the container, and Docker starts it again.
# They say errors only (-v 3): below that level Kannel prints numbers and texts.
set -eu

mkdir -p /var/spool/kannel/messages
sqlite3 /var/spool/kannel/receipts.db < /etc/kannel/receipts.sql
/usr/sbin/bearerbox -v 3 /etc/kannel/kannel.conf &
bearerbox=$!
until nc -z 127.0.0.1 13001; do
    kill -0 "$bearerbox"
    sleep 0.2
done
/usr/sbin/smsbox -v 3 /etc/kannel/kannel.conf &
smsbox=$!
trap 'kill -TERM "$smsbox" "$bearerbox"' TERM INT
while kill -0 "$bearerbox" && kill -0 "$smsbox"; do
    sleep 1
done
