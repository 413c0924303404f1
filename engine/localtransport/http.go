package localtransport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

var _ engine.HTTPProber = (*Transport)(nil)

// ProbeHTTP implements engine.HTTPProber. Every question has a connection of its own: a recovery wants to know who
// answers now, not who did a minute ago.
func (t *Transport) ProbeHTTP(ctx context.Context, q engine.HTTPRequest, body io.Writer) (engine.HTTPResponse, error) {
	fail := func(kind string, err error) (engine.HTTPResponse, error) {
		return engine.HTTPResponse{}, &engine.HostError{
			Kind: kind, Host: runbooks.ControlName, Err: fmt.Errorf("%w: %w", engine.ErrUnreachable, err),
		}
	}
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return fail("http", fmt.Errorf("method %q: only GET and HEAD read", q.Method))
	}
	transport := &http.Transport{DisableKeepAlives: true, Proxy: nil, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if q.CAFile != "" {
		pool, err := roots(q.CAFile)
		if err != nil {
			return fail("ca-file", err)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	if q.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.Timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, q.URL, nil)
	if err != nil {
		return fail("http", err)
	}
	for _, h := range q.Headers {
		if http.CanonicalHeaderKey(h.Name) == "Host" {
			req.Host = h.Value
			continue
		}
		req.Header.Set(h.Name, h.Value)
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return fail(httpKind(err), err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(body, res.Body); err != nil {
		return fail("http", fmt.Errorf("body: %w", err))
	}
	return engine.HTTPResponse{Status: res.StatusCode}, nil
}

func roots(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s: no certificate in it", path)
	}
	return pool, nil
}

// httpKind tells a certificate that is not trusted from a server that is not there.
func httpKind(err error) string {
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return "certificate"
	}
	return "dial"
}
