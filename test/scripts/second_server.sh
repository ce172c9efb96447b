# Sourced: a server beside the one of the PG* environment, with its programs, as its user, on its socket and another port.

second_port=$((10000 + $$ % 50000)) # of a socket, which others may have beside it
second_data=$PGHOST/$(basename "$0" .sh).$$
become=()
((EUID != 0)) || become=(setpriv --reuid="$(stat -c %U "$PGHOST")" --regid="$(stat -c %G "$PGHOST")" --init-groups --)

# The directory of data may be nobody else's.
as_server() { (cd / && "${become[@]}" "$@"); }
server_program() { as_server "$GRAVITAS_PG_BINDIR/$1" "${@:2}"; }
second() { PGPORT=$second_port "$@"; }

start_server() { # DATA [SETTING=VALUE…]
    local options="-p $second_port -k $PGHOST -c listen_addresses='' -c fsync=off" setting
    for setting in "${@:2}"; do options+=" -c $setting"; done
    server_program pg_ctl -D "$1" -s -w -t 60 -l "$1/server.log" -o "$options" start > /dev/null
}
stop_server() { server_program pg_ctl -D "$1" -s -w -m fast stop > /dev/null; }
# For a trap: whatever there is of them.
remove_servers() {
    local data
    for data in "$second_data"*; do
        [[ ! -e $data/postmaster.pid ]] || server_program pg_ctl -D "$data" -s -m immediate stop > /dev/null 2>&1 || true
        rm -rf "$data"
    done
}
