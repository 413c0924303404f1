package evidence

import (
	"bytes"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// authority is a time stamping authority made with openssl, for tests.
type authority struct {
	openssl, dir string
	answer       func(request []byte) []byte // nil: as asked
}

const authorityConf = `
[tsa]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
certs = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
[ext]
extendedKeyUsage = critical,timeStamping
`

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{openssl: tool(t, "openssl"), dir: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "tsa.cnf"), []byte(authorityConf), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "serial"), []byte("01\n"), 0o600))
	a.run(t, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem", "-days", "2",
		"-subj", "/CN=test TSA", "-addext", "extendedKeyUsage=critical,timeStamping")
	return a
}

func (a *authority) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(a.openssl, args...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "openssl %v: %s", args, out)
}

func (a *authority) serve(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if a.answer != nil {
			_, _ = w.Write(a.answer(body))
			return
		}
		_, _ = w.Write(a.reply(t, body))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func (a *authority) reply(t *testing.T, request []byte) []byte {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "q"), request, 0o600))
	a.run(t, "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "q", "-out", "r")
	der, err := os.ReadFile(filepath.Join(a.dir, "r"))
	require.NoError(t, err)
	return der
}

func TestTimeStamps(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	srv := a.serve(t)
	dir := sealedSample(t)
	got, err := RequestTimestamp(t.Context(), srv.Client(), srv.URL, dir)
	require.NoError(t, err)
	require.False(t, got.Time.IsZero())
	addReview(t, dir, "rita", people(t, "rita"))

	opts := verifyOptions(t)
	opts.Signers = people(t, "rita")
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.Equal(t, "timestamp "+stamp(got.Time)+" (after/0001-timestamp.tsr; check it with openssl ts -verify)", res.Anchor)
	require.Equal(t, "after/0002-review.txt", res.After[1].File)
	a.run(t, "ts", "-verify", "-data", filepath.Join(dir, SumsFile), "-in", filepath.Join(dir, "after/0001-timestamp.tsr"),
		"-CAfile", "tsa.pem")

	other := copyTree(t, dir)
	edit(t, other, "report.html", replace("passed", "x"))
	resign(t, other, testKey(t, "executor"))
	require.Contains(t, strings.Join(mustVerify(t, other).Reasons(), "\n"), "after/0001-timestamp.tsr: digest")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "after/0001-timestamp.tsr"), []byte("x"), 0o600))
	require.Contains(t, strings.Join(mustVerify(t, dir).Reasons(), "\n"), "after/0001-timestamp.tsr: malformed response")
}

func TestTimeStampsThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	srv := a.serve(t)
	dir := sealedSample(t)
	otherRequest, err := TimestampRequest([]byte("something else"), big.NewInt(7))
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(dir, SumsFile))
	require.NoError(t, err)
	replayed, err := TimestampRequest(sums, big.NewInt(7))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		answer []byte
		want   string
	}{
		"of something else": {a.reply(t, otherRequest), "it answers another request"},
		"a replay":          {a.reply(t, replayed), "it answers another request"},
		"refused":           {a.reply(t, bytes.Replace(replayed, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 9}, 1)), "the authority refused (status 2)"},
		"no DER":            {[]byte("<html>"), "malformed response"},
		"too long":          {make([]byte, maxTimestamp+1), "answers more than"},
		"nothing":           {nil, "malformed response"},
	} {
		a.answer = func([]byte) []byte { return c.answer }
		_, err := RequestTimestamp(t.Context(), srv.Client(), srv.URL, dir)
		require.ErrorContains(t, err, c.want, name)
		require.NoDirExists(t, filepath.Join(dir, AfterDir))
	}
	_, err = RequestTimestamp(t.Context(), srv.Client(), srv.URL+"/\x7f", dir)
	require.Error(t, err)
	_, err = RequestTimestamp(t.Context(), srv.Client(), srv.URL, t.TempDir())
	require.ErrorIs(t, err, ErrNotSealed)
}

func FuzzParseTimestamp(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, der []byte) {
		if ts, err := parseTimestamp(der); err == nil {
			require.False(t, ts.of(nil) && len(ts.digest) == 0)
		}
	})
}
