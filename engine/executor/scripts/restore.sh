# Puts back what was at CONTINUO_DEST before the transfer of this run. It works after half a transfer, and twice.
dest=$CONTINUO_DEST
dir=$(dirname -- "$dest")
base=$(basename -- "$dest")
was=$dir/.$base.continuo-$CONTINUO_ID.was
none=$dir/.$base.continuo-$CONTINUO_ID.none

if [ -e "$was" ] || [ -L "$was" ]; then
    mv -f -- "$was" "$dest"
    echo restored
elif [ -e "$none" ]; then
    rm -f -- "$dest"
    rm -f -- "$none"
    echo removed
else
    echo unchanged
fi
