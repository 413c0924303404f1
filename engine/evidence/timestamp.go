package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"time"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// ErrTimestamp is in the error of a time stamp that is none, or is one of something else.
var ErrTimestamp = errors.New("not a time stamp of this bundle")

// maxTimestamp bounds a time stamp in bytes: a token with its certificates has a few thousand.
const maxTimestamp = 64 << 10

// The identifiers that are looked for.
const (
	oidSHA256     = "2.16.840.1.101.3.4.2.1"
	oidSignedData = "1.2.840.113549.1.7.2"
	oidTSTInfo    = "1.2.840.113549.1.9.16.1.4"
)

// The structures of RFC 3161 and, as far as they are looked at, of RFC 5652.
type (
	algorithmID struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	messageImprint struct {
		Algorithm algorithmID
		Digest    []byte
	}
	tsRequest struct {
		Version int
		Imprint messageImprint
		Nonce   *big.Int
		CertReq bool
	}
	tsResponse struct {
		Status struct {
			Status   int
			Text     []asn1.RawValue `asn1:"optional"`
			FailInfo asn1.BitString  `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version    int
		Algorithms asn1.RawValue
		Content    struct {
			Type asn1.ObjectIdentifier
			Data []byte `asn1:"explicit,tag:0"`
		}
		Rest []asn1.RawValue `asn1:"optional"`
	}
	tstInfo struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint messageImprint
		Serial  *big.Int
		Time    time.Time     `asn1:"generalized"`
		Rest    asn1.RawValue `asn1:"optional"`
	}
)

// Timestamp is what a time stamp says: who has the time of it, the token's own certificates tell.
type Timestamp struct {
	Time   time.Time
	Serial *big.Int
	File   string // in the bundle
	SHA256 string // of the response, as it is kept
	digest []byte
	nonce  *big.Int
}

// TimestampRequest is an RFC 3161 request, in DER, for the SHA-256 of data, with the nonce and the wish for the signer's
// certificate.
func TimestampRequest(data []byte, nonce *big.Int) ([]byte, error) {
	digest := sha256.Sum256(data)
	algorithm := algorithmID{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, Parameters: asn1.NullRawValue}
	return asn1.Marshal(tsRequest{
		Version: 1, Nonce: nonce, CertReq: true, Imprint: messageImprint{Algorithm: algorithm, Digest: digest[:]},
	})
}

// parseTimestamp reads an RFC 3161 response. It does not check the authority's signature: `openssl ts -verify` with the
// authority's certificate does, now and in ten years.
func parseTimestamp(der []byte) (Timestamp, error) {
	var resp tsResponse
	if rest, err := asn1.Unmarshal(der, &resp); err != nil || len(rest) > 0 {
		return Timestamp{}, fmt.Errorf("malformed response: %w", ErrTimestamp)
	}
	if resp.Status.Status > 1 || len(resp.Token.FullBytes) == 0 {
		return Timestamp{}, fmt.Errorf("the authority refused (status %d): %w", resp.Status.Status, ErrTimestamp)
	}
	var info contentInfo
	if rest, err := asn1.Unmarshal(resp.Token.FullBytes, &info); err != nil || len(rest) > 0 || info.Type.String() != oidSignedData {
		return Timestamp{}, fmt.Errorf("malformed token: %w", ErrTimestamp)
	}
	var signed signedData
	if _, err := asn1.Unmarshal(info.Content.Bytes, &signed); err != nil || signed.Content.Type.String() != oidTSTInfo {
		return Timestamp{}, fmt.Errorf("malformed token: %w", ErrTimestamp)
	}
	return parseTSTInfo(signed.Content.Data)
}

func parseTSTInfo(der []byte) (Timestamp, error) {
	var seq asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &seq); err != nil || len(rest) > 0 {
		return Timestamp{}, fmt.Errorf("malformed content: %w", ErrTimestamp)
	}
	var tst tstInfo
	if _, err := asn1.Unmarshal(der, &tst); err != nil || tst.Imprint.Algorithm.Algorithm.String() != oidSHA256 {
		return Timestamp{}, fmt.Errorf("malformed content, or not over SHA-256: %w", ErrTimestamp)
	}
	t := Timestamp{Time: tst.Time.UTC(), Serial: tst.Serial, digest: tst.Imprint.Digest}
	// Behind the time, all optional: accuracy (a sequence), ordering (a boolean), nonce (an integer), and tagged fields.
	for rest := seq.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return Timestamp{}, fmt.Errorf("malformed content: %w", ErrTimestamp)
		}
		if v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger {
			t.nonce = new(big.Int).SetBytes(v.Bytes) // the last integer: version, serial, nonce
		}
	}
	return t, nil
}

// of reports whether the time stamp is of these bytes.
func (t Timestamp) of(data []byte) bool {
	digest := sha256.Sum256(data)
	return bytes.Equal(t.digest, digest[:])
}

// RequestTimestamp asks the authority at url for a time stamp of a sealed run and keeps it in after/.
func RequestTimestamp(ctx context.Context, client *http.Client, url, dir string) (Timestamp, error) {
	t, err := requestTimestamp(ctx, client, url, dir)
	if err != nil {
		return Timestamp{}, fmt.Errorf("time stamp of run %s: %w", filepath.Base(dir), err)
	}
	return t, nil
}

// HasTimestamp reports whether a run's directory holds a time stamp. It does not look into it: that is Verify's work.
func HasTimestamp(dir string) bool {
	found, err := filepath.Glob(filepath.Join(dir, AfterDir, "*-"+timestamp+".tsr"))
	return err == nil && len(found) > 0
}

func requestTimestamp(ctx context.Context, client *http.Client, url, dir string) (Timestamp, error) {
	sums, err := fsx.ReadFile(fsx.OS{}, filepath.Join(dir, SumsFile), maxFile)
	if err != nil {
		return Timestamp{}, fmt.Errorf("%w: %w", ErrNotSealed, err)
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return Timestamp{}, err
	}
	body, err := TimestampRequest(sums, nonce)
	if err != nil {
		return Timestamp{}, err
	}
	der, err := post(ctx, client, url, body)
	if err != nil {
		return Timestamp{}, err
	}
	t, err := parseTimestamp(der)
	if err != nil {
		return Timestamp{}, err
	}
	if !t.of(sums) || t.nonce == nil || t.nonce.Cmp(nonce) != 0 {
		return Timestamp{}, fmt.Errorf("it answers another request: %w", ErrTimestamp)
	}
	t.SHA256 = sum(der)
	t.File, err = keepTimestamp(dir, der)
	return t, err
}

func post(ctx context.Context, client *http.Client, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	der, err := io.ReadAll(io.LimitReader(resp.Body, maxTimestamp+1))
	if err == nil && len(der) > maxTimestamp {
		err = fmt.Errorf("%s answers more than %d bytes", url, maxTimestamp)
	}
	return der, err
}

// keepTimestamp writes a response as the next piece.
func keepTimestamp(dir string, der []byte) (file string, err error) {
	fsys := fsx.OS{}
	lock, err := fsys.Lock(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	name, err := nextAfter(fsys, dir, timestamp)
	if err != nil {
		return "", err
	}
	file = name + ".tsr"
	return file, fsx.ReplaceFile(fsys, filepath.Join(dir, filepath.FromSlash(file)), der, 0o600)
}

// timestamp checks that a time stamp is of this bundle, and makes it the anchor.
func (v *verification) timestamp(name string) {
	der, err := readWhole(v.src, name, maxTimestamp)
	var t Timestamp
	if err == nil {
		t, err = parseTimestamp(der)
	}
	if err == nil && !t.of(v.sums) {
		err = fmt.Errorf("digest %s: %w", hex.EncodeToString(t.digest), ErrTimestamp)
	}
	a := Addendum{File: name, Kind: timestamp, SumsSHA256: v.res.SumsSHA256, Run: v.res.Run, Time: t.Time, Status: StatusUnchecked}
	if err != nil {
		a.Status, a.Problem = StatusFailed, err.Error()
		v.res.Authenticity.fail("%s: %v", name, err)
	} else {
		a.Problem = "the authority's signature: openssl ts -verify -data " + SumsFile + " -in " + name + " -CAfile …"
		v.res.Anchor = fmt.Sprintf("timestamp %s (%s; check it with openssl ts -verify)", stamp(t.Time), name)
	}
	v.pieces = append(v.pieces, piece{name, sum(der)})
	v.res.After = append(v.res.After, a)
}
