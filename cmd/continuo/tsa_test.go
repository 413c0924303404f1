package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const tsaConf = `
[tsa]
serial = ./serial
crypto_device = builtin
signer_cert = ./tsa.pem
certs = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = yes
ess_cert_id_chain = no
`

// tsa starts a time stamping authority (RFC 3161), made with openssl in the directory NAME, and sets NAME to its URL. Its
// certificate is NAME/tsa.pem.
func tsa(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tsa NAME")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "tsa.cnf"), []byte(tsaConf), 0o600))
	ts.Check(os.WriteFile(filepath.Join(dir, "serial"), []byte("01\n"), 0o600))
	openssl := func(args ...string) error {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			return errors.New(string(out))
		}
		return nil
	}
	ts.Check(openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem", "-days", "2",
		"-subj", "/CN=test TSA", "-addext", "extendedKeyUsage=critical,timeStamping"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "q"), body, 0o600)
		}
		if err == nil {
			err = openssl("ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "q", "-out", "r")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.ServeFile(w, r, filepath.Join(dir, "r"))
	})}
	go func() { _ = srv.Serve(l) }()
	ts.Defer(func() { _ = srv.Shutdown(context.Background()) })
	ts.Setenv(args[0], "http://"+l.Addr().String()+"/tsr")
}
