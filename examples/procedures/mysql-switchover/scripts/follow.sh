# Makes this server a replica of $SOURCE. The statements go in on stdin, so that no password is ever an argument.
set -eu
mysql --batch <<SQL
stop replica;
set global super_read_only = 1;
change replication source to source_host = '$SOURCE', source_user = 'replication',
  source_password = '$REPLICATION_PASSWORD', source_auto_position = 1;
start replica;
SQL
