# Sets every server of $ZONE to $STATE (ready, drain) through the runtime socket.
set -eu
socket=/run/haproxy/admin.sock
echo 'show servers state' | socat stdio "$socket" | awk -v zone="-$ZONE" 'NR > 2 && $4 ~ zone "$" {print $2 "/" $4}' |
while read -r server; do
  echo "set server $server state $STATE" | socat stdio "$socket"
done
