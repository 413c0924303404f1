# Runs as the user postgres under /bin/sh -eu. Adapt the command to your distribution.
if command -v pg_ctlcluster > /dev/null; then
  version=$(psql -XAtqc "show server_version_num")
  pg_ctlcluster "$((version / 10000))" main promote
else
  psql -XAtqc "select pg_promote(true, 60)"
fi
