# Replaces the block "tags:" of the Patroni configuration by the lines in $TAGS, keeping a copy, and reloads.
set -eu
file=/etc/patroni/patroni.yml
cp -p -- "$file" "$file.before-continuo"
awk '/^tags:/ {skip = 1; next} skip && /^[^ ]/ {skip = 0} !skip' "$file.before-continuo" >"$file.new"
if [ -n "$TAGS" ]; then
  printf 'tags:\n' >>"$file.new"
  printf '%s\n' "$TAGS" | sed 's/^/  /' >>"$file.new"
fi
mv -- "$file.new" "$file"
systemctl reload patroni
