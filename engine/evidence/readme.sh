# Record of run @RUN@: runbook "@RUNBOOK@" of project "@PROJECT@".
# Mode: @MODE@. Verdict when it was sealed: @VERDICT@.
#
# This directory is evidence. It can be checked without the people who made it and without the program that wrote it:
#
#     sh README.txt [SIGNERS PRINCIPAL]
#
# in this directory, with any POSIX shell, sha256sum (or shasum) and, for the signature, ssh-keygen of OpenSSH 8.9 or
# later. SIGNERS is a file in the format of ssh-keygen's allowed_signers that says whose key is whose, PRINCIPAL the name
# in it that must have signed. Get it from someone you trust: the copies in this bundle prove nothing, and neither does
# this script, if you got it from someone you do not trust. It is short; read it. `continuo verify` checks more.
#
#     SHA256SUMS       every file and its digest; SHA256SUMS.sig is an SSH signature of it
#     seal.txt         what was sealed, one fact a line
#     journal.jsonl    what happened, in order; each line holds the digest of the line before
#     project/         the files of the project as they were read
#     plan.json        what was going to happen
#     artifacts/       what commands wrote, by the digest of the content, secrets replaced
#     approvals/       requests as they were asked and signed; ssh-keygen -Y verify -n approval@continuo checks one
#     report.*         derived from the above, for reading; not reviewed when it was sealed
#     after/           reviews and additions, each signed by its author; not covered by SHA256SUMS

set -u
LC_ALL=C
export LC_ALL
signers=${1:-}
principal=${2:-}
bad=0
fail() {
	echo "FAILED: $*"
	bad=1
}
if command -v sha256sum >/dev/null 2>&1; then
	digest() { sha256sum "$@"; }
else
	digest() { shasum -a 256 "$@"; }
fi

# 1. The files that are listed are the files that are there, and nothing else is.
have=$(find . ! -type d | sed 's|^\./||' | grep -v -e '^SHA256SUMS$' -e '^SHA256SUMS\.sig$' -e '^after/' | sort)
want=$(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort)
[ "$have" = "$want" ] || fail "the files differ from those that SHA256SUMS lists"
[ -z "$(find . ! -type d ! -type f)" ] || fail "something is neither a file nor a directory"
if grep -q -v -E '^[0-9a-f]{64}  [A-Za-z0-9._/%-]+$' SHA256SUMS; then fail "SHA256SUMS is malformed"; fi

# 2. Their content is what is listed.
digest -c SHA256SUMS >/dev/null 2>&1 || {
	digest -c SHA256SUMS 2>/dev/null | grep -v ': OK$'
	fail "a file was changed"
}

# 3. The journal is one unbroken chain, as long as the seal says, and begins at this run.
value() { sed -n "s/^$1 //p" seal.txt; }
nonce=$(sed -n '1s/.*"nonce":"\([0-9a-f]*\)".*/\1/p' journal.jsonl)
prev=$(printf 'continuo-journal-v1\n%s\n%s\n' "$(value run)" "$nonce" | digest | cut -c1-64)
[ "$prev" = "$(value genesis)" ] || fail "the journal belongs to another run"
n=0
while IFS= read -r line; do
	case $line in
	'{"v":1,"seq":'"$n"',"prev":"'"$prev"'","t":"'*',"mode":"'"$(value mode)"'","type":"'*) ;;
	*)
		fail "the chain is broken at line $((n + 1)) of journal.jsonl"
		break
		;;
	esac
	prev=$(printf '%s\n' "$line" | digest | cut -c1-64)
	n=$((n + 1))
done <journal.jsonl
[ "$n" = "$(value events)" ] || fail "the journal has $n lines, the seal says $(value events)"
[ "$prev" = "$(value head)" ] || fail "the journal does not end where the seal says"
[ "$bad" = 1 ] || echo "integrity: ok ($n journal lines, verdict $(value verdict), mode $(value mode))"

# 4. SHA256SUMS was signed by whom you expect, with a key that was valid when the run was closed.
if [ -z "$principal" ]; then
	echo "authenticity: UNCHECKED; give a signers file and a principal"
	[ "$bad" = 0 ] && bad=3
else
	when=$(value closed | sed -e 's/\..*//' -e 's/Z$//' -e 's/[-:T]//g')Z
	if ssh-keygen -Y verify -f "$signers" -I "$principal" -n evidence@continuo -s SHA256SUMS.sig \
		-Overify-time="$when" <SHA256SUMS; then
		echo "authenticity: ok"
	else
		fail "SHA256SUMS was not signed by $principal"
	fi
fi
exit "$bad"
