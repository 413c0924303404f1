# Puts stdin at CONTINUO_DEST: to a temporary name beside it, its digest compared, then renamed. Says "changed" or
# "unchanged" on stdout.
umask 077
dest=$CONTINUO_DEST
dir=$(dirname -- "$dest")
base=$(basename -- "$dest")
tmp=$dir/.$base.continuo-$CONTINUO_ID.tmp
was=$dir/.$base.continuo-$CONTINUO_ID.was
none=$dir/.$base.continuo-$CONTINUO_ID.none

fail() {
    echo "$1" >&2
    exit 65
}

if command -v sha256sum >/dev/null 2>&1; then
    digest() { sha256sum <"$1" | cut -c1-64; }
elif command -v shasum >/dev/null 2>&1; then
    digest() { shasum -a 256 <"$1" | cut -c1-64; }
elif command -v openssl >/dev/null 2>&1; then
    digest() { openssl dgst -sha256 -r <"$1" | cut -c1-64; }
else
    fail "none of sha256sum, shasum and openssl is on this host: the content cannot be compared"
fi

own() {
    if [ -n "$CONTINUO_USER" ]; then chown -- "$CONTINUO_USER" "$1"; fi
    if [ -n "$CONTINUO_GROUP" ]; then chgrp -- "$CONTINUO_GROUP" "$1"; fi
    if [ -n "$CONTINUO_MODE" ]; then chmod -- "$CONTINUO_MODE" "$1"; fi
}

[ -d "$dir" ] || fail "the directory $dir is not there"
[ ! -d "$dest" ] || fail "$dest is a directory"
trap 'rm -f -- "$tmp"' EXIT
rm -f -- "$tmp"
cat >"$tmp"
got=$(digest "$tmp")
[ "$got" = "$CONTINUO_SHA256" ] || fail "the content arrived damaged: its SHA-256 is $got, not $CONTINUO_SHA256"

if [ -f "$dest" ] && [ ! -L "$dest" ] && [ "$(digest "$dest")" = "$CONTINUO_SHA256" ]; then
    own "$dest"
    echo unchanged
    exit 0
fi

# Who may read the file that is replaced may read the new one, unless the runbook says otherwise.
if [ -z "$CONTINUO_MODE" ] && [ -f "$dest" ]; then
    mode=$(stat -c %a -- "$dest" 2>/dev/null || stat -f %Lp -- "$dest" 2>/dev/null || :)
    if [ -n "$mode" ]; then chmod -- "$mode" "$tmp"; fi
fi
own "$tmp"

# The first state is the one to go back to: a second attempt must not replace it.
if [ -n "$CONTINUO_BACKUP" ] && [ ! -e "$was" ] && [ ! -e "$none" ]; then
    if [ -e "$dest" ] || [ -L "$dest" ]; then
        cp -pP -- "$dest" "$was.tmp"
        mv -f -- "$was.tmp" "$was"
    else
        : >"$none"
    fi
fi
mv -f -- "$tmp" "$dest"
echo changed
