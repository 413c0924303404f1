# The servers' side of this example. Runs as the account that owns the databases (see site in ../settings.sh):
#
#   up SERVERS PGBIN SSHD KEY SSH_PORT PG_PORT ADDRESS_A ADDRESS_B ADDRESS_APP PAYMENTS
#   down SERVERS
#
# Each host has a directory under SERVERS which is its HOME. What a login finds there (PATH, PGDATA, PGHOST, …) is set by
# its sshd, as a configuration management would do it.
umask 077
command=$1 servers=$2
cd "$servers" 2>/dev/null || { [ "$command" = down ] && exit 0; }

say() { echo "  $*"; }

# alive PIDFILE NAME: whether the process in the file's first line runs, and is what we think.
alive() {
    pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null &&
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$2"
}

# stop PIDFILE NAME: ends it and waits until it is gone.
stop() {
    alive "$1" "$2" || return 0
    kill "$pid"
    tries=0
    while alive "$1" "$2"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { kill -s KILL "$pid"; break; }
        sleep 0.1
    done
}

if [ "$command" = down ]; then
    stop app/writer.pid 'payments run'
    for host in db-b db-a; do
        if [ -f "$host/data/postmaster.pid" ]; then
            "$(cat pgbin)/pg_ctl" -D "$host/data" -m immediate -w stop >/dev/null 2>&1 || ! alive "$host/data/postmaster.pid" postgres
        fi
    done
    for host in app db-b db-a; do stop "$host/sshd.pid" sshd; done
    cd /
    rm -rf "${servers:?}"/*
    rmdir "$servers" 2>/dev/null || true # the directory around it may not be ours
    exit 0
fi

pgbin=$3 sshd=$4 key=$5 ssh_port=$6 pg_port=$7 address_a=$8 address_b=$9
shift 9
address_app=$1 payments=$2
echo "$pgbin" >pgbin
PATH=$pgbin:$PATH
export PGPASSFILE="$servers/pgpass"
major=$("$pgbin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')

if [ -f complete ] && [ ! -f db-b/data/standby.signal ]; then
    echo "  a drill has moved the database to db-b: run ./down, then ./up, for a new start" >&2
    exit 1
fi

# One login per host, only with the operator's key.
sshd_up() { # host address environment
    mkdir -p "$1"
    [ -f "$1/ssh_host_ed25519_key" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$1/ssh_host_ed25519_key"
    echo "$key" >"$1/authorized_keys"
    cat >"$1/sshd_config" <<END
ListenAddress $2
Port $ssh_port
HostKey $servers/$1/ssh_host_ed25519_key
AuthorizedKeysFile $servers/$1/authorized_keys
PidFile $servers/$1/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
SetEnv HOME=$servers/$1 $3
END
    alive "$1/sshd.pid" sshd && return
    "$sshd" -f "$servers/$1/sshd_config" -E "$servers/$1/sshd.log" || { tail -n 3 "$1/sshd.log" >&2; exit 1; }
    say "$1: sshd on $2:$ssh_port"
}

admin="PATH=$pgbin:/usr/local/bin:/usr/bin:/bin PGPASSFILE=$PGPASSFILE PGUSER=postgres PGDATABASE=payments PGPORT=$pg_port"
sshd_up db-a "$address_a" "$admin PGHOST=$address_a PGDATA=$servers/db-a/data"
sshd_up db-b "$address_b" "$admin PGHOST=$address_b PGDATA=$servers/db-b/data"
sshd_up app "$address_app" "PATH=$servers/app/bin:$pgbin:/usr/local/bin:/usr/bin:/bin PGPASSFILE=$PGPASSFILE PGUSER=payments PGDATABASE=payments PGPORT=$pg_port"

random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
if [ ! -f pgpass ]; then
    printf '*:*:*:%s:%s\n' postgres "$(random)" replicator "$(random)" payments "$(random)" >pgpass
fi
password() { grep ":$1:" pgpass | cut -d: -f5; }

settings() { # host address: what differs between the two servers
    cat <<END
listen_addresses = '$2'
port = $pg_port
unix_socket_directories = ''
cluster_name = '$1'
timezone = 'UTC'
shared_buffers = '16MB'
wal_keep_size = '64MB'
END
}

start() { # host
    "$pgbin/pg_ctl" -D "$servers/$1/data" status >/dev/null 2>&1 && return
    "$pgbin/pg_ctl" -D "$servers/$1/data" -l "$servers/$1/postgresql.log" -w -t 60 start >/dev/null ||
        { tail -n 5 "$1/postgresql.log" >&2; exit 1; }
    say "$1: PostgreSQL $major on $2:$pg_port"
}

psql_a() { psql -XAtq -v ON_ERROR_STOP=1 -h "$address_a" -p "$pg_port" -U postgres "$@"; }

if [ ! -f db-a/initialised ]; then
    rm -rf db-a/data
    password postgres >db-a/password
    "$pgbin/initdb" -D "$servers/db-a/data" -U postgres -A scram-sha-256 --pwfile=db-a/password -E UTF8 --locale=C --no-sync >db-a/initdb.log
    rm db-a/password
    settings db-a "$address_a" >>db-a/data/postgresql.conf
    echo 'host all,replication all 127.0.0.0/8 scram-sha-256' >>db-a/data/pg_hba.conf
    start db-a "$address_a"
    psql_a -d postgres >/dev/null <<END
create role replicator login replication password '$(password replicator)';
create role payments login password '$(password payments)';
create database payments owner payments;
END
    psql_a -d payments >/dev/null <<END
create table payments (id bigint primary key, at timestamptz not null default clock_timestamp());
alter table payments owner to payments;
END
    touch db-a/initialised
fi
start db-a "$address_a"

if [ ! -f db-b/initialised ]; then
    rm -rf db-b/data
    "$pgbin/pg_basebackup" -h "$address_a" -p "$pg_port" -U replicator -D db-b/data -R -X stream -c fast --no-sync
    settings db-b "$address_b" >>db-b/data/postgresql.conf
    touch db-b/initialised
fi
start db-b "$address_b"

mkdir -p app/bin
printf '%s\n' "$payments" >app/bin/payments
chmod 700 app/bin/payments
[ -f app/database ] || echo "$address_a" >app/database
if ! alive app/writer.pid 'payments run'; then
    PGPORT=$pg_port PGUSER=payments PGDATABASE=payments HOME=$servers/app setsid app/bin/payments run >>app/writer.log 2>&1 </dev/null &
    say "app: writing payments to db-a"
fi

# Up means: the standby streams, and payments are acknowledged.
tries=0
until [ "$(psql_a -d payments -c "select count(*) from pg_stat_replication where application_name = 'db-b' and state = 'streaming'")" = 1 ] &&
    [ -s app/acknowledged ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || { echo "the standby does not stream, or no payment is acknowledged" >&2; exit 1; }
    sleep 0.2
done
touch complete
