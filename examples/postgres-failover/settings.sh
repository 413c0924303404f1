# What up and down agree on. Sourced by both, with $here set to this directory.

account=postgres # owns the databases; the runbook logs in as it
ssh_port=22022
pg_port=54321

# The hosts of project.hcl: loopback addresses, one for each server.
address_of() {
    case $1 in
    db-a) echo 127.0.0.11 ;;
    db-b) echo 127.0.0.12 ;;
    app) echo 127.0.0.13 ;;
    esac
}

drill=$here/.drill       # keys and known_hosts, ours
pointer=$drill/servers.path # where the servers' files are

die() {
    echo "${0##*/}: $1" >&2
    shift
    for hint; do echo "  hint: $hint" >&2; done
    exit 1
}

# as_db COMMAND… runs it as the account that owns the databases: PostgreSQL refuses to run as root.
as_db() {
    if [ "$(id -un)" = "$account" ]; then
        "$@"
    elif [ "$(id -u)" = 0 ]; then
        runuser -u "$account" -- "$@"
    else
        sudo -n -u "$account" -- "$@"
    fi
}

# site COMMAND… runs site/servers.sh as that account. It goes in on stdin: the account need not see this directory.
site() {
    as_db /bin/sh -eu -s -- "$@" <"$here/site/servers.sh"
}
