# Starts bearerbox, then smsbox; when either ends, so does the container, and Docker starts it again.
set -eu

mkdir -p /var/spool/kannel/messages
/usr/sbin/bearerbox /etc/kannel/kannel.conf &
bearerbox=$!
until nc -z 127.0.0.1 13001; do
    kill -0 "$bearerbox"
    sleep 0.2
done
/usr/sbin/smsbox /etc/kannel/kannel.conf &
smsbox=$!
trap 'kill -TERM "$smsbox" "$bearerbox"' TERM INT
while kill -0 "$bearerbox" && kill -0 "$smsbox"; do
    sleep 1
done
