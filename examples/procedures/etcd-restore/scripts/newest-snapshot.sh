# Prints the newest snapshot as JSON: path, sha256, taken_at (RFC 3339), age_s, keys, hashed.
# A file copied out of a data directory has no integrity hash; one made by `etcdctl snapshot save` has.
set -eu
newest=$(ls -t -- "$SNAPSHOT_DIR"/*.db | head -n 1)
test -n "$newest"
taken=$(stat -c %Y -- "$newest")
now=$(date +%s)
status=$(etcdutl snapshot status "$newest" -w json)
keys=$(printf '%s' "$status" | sed -n 's/.*"totalKey":\([0-9]*\).*/\1/p')
size=$(stat -c %s -- "$newest")
hashed=true
test $((size % 512)) -eq 32 || hashed=false
printf '{"path":"%s","sha256":"%s","taken_at":"%s","age_s":%d,"keys":%d,"hashed":%s}\n' \
  "$newest" "$(sha256sum -- "$newest" | cut -d ' ' -f 1)" "$(date -u -d "@$taken" +%Y-%m-%dT%H:%M:%SZ)" \
  $((now - taken)) "$keys" "$hashed"
