// Package control is how another terminal steers a running run: a unix socket in the run's directory.
//
// One request and one answer travel on a connection, each a line of JSON: a wish, an answer to a question, or Watch, which
// tells what the run asks for now. What happened is not read through it: whoever wants to know where a run stands reads its
// journal, which is there also when the controller is not. A wish that was answered with OK is in the journal.
//
// Access is the directory's: the socket has mode 0600, and a peer of another user is refused. Who a wish is from is what
// the peer claims (By) unless a signature proves it; the run's rules decide what a claim is good for.
package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/continuo-runbooks/continuo/engine"
)

// SocketName is the name of the socket in a run's directory. It is removed before the run is sealed.
const SocketName = "control.sock"

const (
	maxRequest  = 1 << 20 // bytes; an approval's signature and inputs fit many times
	maxAnswer   = 64 << 20
	peerTimeout = 10 * time.Second
)

// Op is what is wished.
type Op string

// The wishes.
const (
	Pause    Op = "pause"
	Continue Op = "continue"
	Abort    Op = "abort"
	Note     Op = "note"
	Done     Op = "done"
	Approve  Op = "approve"
	Deny     Op = "deny"
	Decide   Op = "decide"
	Settle   Op = "settle"
	// Answer answers a question that has no wish of its own: a failure, an interrupt, a confirmation. ID says which.
	Answer Op = "answer"
	// Watch waits until what is asked is not as it was at Seen, or for a while, and tells what is asked.
	Watch Op = "watch"
)

// Request is one wish. Fields that an Op does not need are empty.
type Request struct {
	Op        Op                `json:"op"`
	By        string            `json:"by,omitempty"` // claimed principal
	Item      string            `json:"item,omitempty"`
	Host      string            `json:"host,omitempty"`
	As        string            `json:"as,omitempty"`     // settle: done, failed, retry
	Option    string            `json:"option,omitempty"` // decide
	Reason    string            `json:"reason,omitempty"`
	Inputs    map[string]string `json:"inputs,omitempty"`    // done
	Signature string            `json:"signature,omitempty"` // armored SSHSIG over the request's text
	Signed    string            `json:"signed,omitempty"`    // the text that was signed, where it came along
	ID        uint64            `json:"id,omitempty"`        // answer: the question's
	Typed     string            `json:"typed,omitempty"`     // answer to a confirmation
	Seen      uint64            `json:"seen,omitempty"`      // watch: the version that is known
	Key       string            `json:"key,omitempty"`       // settle: element of for_each
}

// Asked is a question that waits for people. Exactly one of the pointers is set. ID is its own among those of the run's
// controller.
type Asked struct {
	ID        uint64                    `json:"id"`
	Manual    *engine.ManualQuestion    `json:"manual,omitempty"`
	Gate      *engine.GateQuestion      `json:"gate,omitempty"`
	Decision  *engine.DecisionQuestion  `json:"decision,omitempty"`
	Confirm   *engine.ConfirmQuestion   `json:"confirm,omitempty"`
	Failure   *engine.FailureQuestion   `json:"failure,omitempty"`
	Interrupt *engine.InterruptQuestion `json:"interrupt,omitempty"`
	Settle    *engine.SettleQuestion    `json:"settle,omitempty"`
}

// Response answers a wish. Error is one line, lower case; Hint says what to do.
type Response struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	Text  string `json:"text,omitempty"` // what to tell the person
	// Version and Asked answer Watch: all questions that are open, and what to send as Seen next.
	Version uint64  `json:"version,omitempty"`
	Asked   []Asked `json:"asked,omitempty"`
}

// Handler grants or refuses wishes. It is called from several goroutines.
type Handler func(ctx context.Context, r Request) Response

// ErrNotRunning: no controller listens in the run's directory.
var ErrNotRunning = errors.New("no process is working on this run")

// Server listens in a run's directory until Close.
type Server struct {
	l      *net.UnixListener
	path   string
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Serve listens in dir. A socket that a dead controller left is replaced; the caller holds the run's lock.
func Serve(ctx context.Context, dir string, h Handler) (*Server, error) {
	path := filepath.Join(dir, SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	short, done, err := shorten(dir)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(short, SocketName), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false) // the name it was bound under is not its path
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Server{l: l, path: path, cancel: cancel}
	s.wg.Add(1)
	go s.accept(ctx, h)
	return s, nil
}

// Close stops listening, waits for wishes under way and removes the socket.
func (s *Server) Close() error {
	s.cancel()
	err := s.l.Close()
	s.wg.Wait()
	if rm := os.Remove(s.path); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

func (s *Server) accept(ctx context.Context, h Handler) {
	defer s.wg.Done()
	for {
		c, err := s.l.AcceptUnix()
		if err != nil {
			return
		}
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			defer func() { _ = c.Close() }()
			stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
			defer stop()
			answer(ctx, c, h)
		}()
	}
}

// answer serves one connection. An answer that cannot be delivered is the peer's loss: the wish is in the journal.
func answer(ctx context.Context, c *net.UnixConn, h Handler) {
	_ = c.SetReadDeadline(time.Now().Add(peerTimeout))
	resp := Response{}
	if err := sameUser(c); err != nil {
		resp.Error = err.Error()
	} else if r, err := decode(c); err != nil {
		resp.Error = err.Error()
	} else {
		resp = h(ctx, r)
	}
	_ = c.SetWriteDeadline(time.Now().Add(peerTimeout))
	_ = json.NewEncoder(c).Encode(resp)
}

func decode(r io.Reader) (Request, error) {
	var req Request
	line, err := bufio.NewReader(io.LimitReader(r, maxRequest)).ReadBytes('\n')
	if err != nil {
		return req, fmt.Errorf("read request: %w", err)
	}
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("read request: %w", err)
	}
	return req, nil
}

// sameUser refuses a peer of another user, root included: root has the directory and needs no socket.
func sameUser(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("peer credentials: %w", err)
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) {
		cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return fmt.Errorf("peer credentials: %w", err)
	}
	if cerr != nil {
		return fmt.Errorf("peer credentials: %w", cerr)
	}
	if int(cred.Uid) != os.Getuid() {
		return fmt.Errorf("user %d may not steer a run of user %d", cred.Uid, os.Getuid())
	}
	return nil
}

// Send brings a wish to the controller that works on the run in dir and returns its answer. Without one the error wraps
// ErrNotRunning. The context bounds the whole exchange.
func Send(ctx context.Context, dir string, r Request) (Response, error) {
	short, done, err := shorten(dir)
	if err != nil {
		return Response{}, fmt.Errorf("reach the run in %s: %w", dir, err)
	}
	defer done()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", filepath.Join(short, SocketName))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
			return Response{}, fmt.Errorf("%s: %w", dir, ErrNotRunning)
		}
		return Response{}, fmt.Errorf("reach the run in %s: %w", dir, err)
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := json.NewEncoder(c).Encode(r); err != nil {
		return Response{}, fmt.Errorf("send %s: %w", r.Op, errors.Join(err, ctx.Err()))
	}
	var resp Response
	if err := json.NewDecoder(io.LimitReader(c, maxAnswer)).Decode(&resp); err != nil {
		return Response{}, fmt.Errorf("answer to %s: %w", r.Op, errors.Join(err, ctx.Err()))
	}
	return resp, nil
}

// Listening reports whether a controller works on the run in dir: whether somebody takes a connection on its socket.
func Listening(dir string) bool {
	short, done, err := shorten(dir)
	if err != nil {
		return false
	}
	defer done()
	c, err := net.Dial("unix", filepath.Join(short, SocketName))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// shorten gives a name for dir that fits into a socket address (108 bytes with the socket's name), whatever its length:
// the directory as an open file of this process. done closes it.
func shorten(dir string) (short string, done func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d", f.Fd()), func() { _ = f.Close() }, nil
}
