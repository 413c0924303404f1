package evidence

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

func TestApprovalVerifier(t *testing.T) {
	t.Parallel()
	s, _, err := executorKey(fsx.OS{}, t.TempDir(), "test", rand.Reader)
	require.NoError(t, err)
	text := []byte("promote db-b1\n")
	sig, err := s.Sign(text, ApprovalNamespace)
	require.NoError(t, err)
	signers, err := ParseSigners([]byte(s.AllowedSigner("zoe@example.org,bob@example.org", ApprovalNamespace) + "\n"))
	require.NoError(t, err)
	v := ApprovalVerifier{Signers: signers}

	who, err := v.Verify(text, sig, time.Unix(0, 0))
	require.NoError(t, err)
	require.Equal(t, "bob@example.org", who.Principal)
	require.Equal(t, s.Fingerprint(), who.Fingerprint)

	_, err = v.Verify([]byte("promote db-b2\n"), sig, time.Unix(0, 0))
	require.ErrorIs(t, err, ErrSignature)
	other, err := s.Sign(text, EvidenceNamespace)
	require.NoError(t, err)
	_, err = v.Verify(text, other, time.Unix(0, 0))
	require.Error(t, err, "a signature for another purpose")
	require.NoError(t, signers.Revoke([]byte(s.Fingerprint()+"\n")))
	_, err = v.Verify(text, sig, time.Unix(0, 0))
	require.ErrorIs(t, err, ErrRevoked)
}
