# Prints how many sessions are open to servers of $ZONE.
set -eu
echo 'show stat' | socat stdio /run/haproxy/admin.sock |
awk -F, -v zone="-$ZONE" '$2 ~ zone "$" {n += $5} END {print n + 0}'
