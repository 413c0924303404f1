package localtransport_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/localtransport"
)

func TestProbeHTTP(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("X-Token")+" "+r.Host)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	bad := filepath.Join(t.TempDir(), "bad.pem")
	require.NoError(t, os.WriteFile(bad, []byte("nothing"), 0o600))

	tests := map[string]struct {
		q      engine.HTTPRequest
		status int
		body   string
		kind   string
	}{
		"get": {engine.HTTPRequest{Method: "GET", URL: plain.URL + "/ok", Headers: []engine.Env{{Name: "X-Token", Value: "t"}, {Name: "Host", Value: "pay"}}},
			200, "GET t pay", ""},
		"head":                  {engine.HTTPRequest{Method: "HEAD", URL: plain.URL + "/ok"}, 200, "", ""},
		"a redirect is answer":  {engine.HTTPRequest{Method: "GET", URL: plain.URL + "/away"}, 302, "<a href=\"/ok\">Found</a>.\n\n", ""},
		"not found":             {engine.HTTPRequest{Method: "GET", URL: plain.URL + "/none"}, 404, "404 page not found\n", ""},
		"post is refused":       {engine.HTTPRequest{Method: "POST", URL: plain.URL + "/ok"}, 0, "", "http"},
		"no server":             {engine.HTTPRequest{Method: "GET", URL: "http://127.0.0.1:1/"}, 0, "", "dial"},
		"unknown certificate":   {engine.HTTPRequest{Method: "GET", URL: secure.URL + "/ok"}, 0, "", "certificate"},
		"certificate from file": {engine.HTTPRequest{Method: "HEAD", URL: secure.URL + "/ok", CAFile: ca}, 200, "", ""},
		"no certificate file":   {engine.HTTPRequest{Method: "GET", URL: secure.URL, CAFile: bad}, 0, "", "ca-file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body strings.Builder
			got, err := localtransport.New(localtransport.Options{}).ProbeHTTP(t.Context(), tt.q, &body)
			if tt.kind != "" {
				var host *engine.HostError
				require.ErrorAs(t, err, &host)
				require.ErrorIs(t, err, engine.ErrUnreachable)
				require.Equal(t, tt.kind, host.Kind)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.status, got.Status)
			require.Equal(t, tt.body, body.String())
		})
	}
}
