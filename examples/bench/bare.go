package main

import (
	"context"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// bareLoop is the yardstick: all hosts at once, one connection each, one command after another, nothing recorded. Host
// keys are checked, as anybody must.
func bareLoop(ctx context.Context, s *servers, commands int) (measurement, error) {
	began, cpu := time.Now(), ownCPU()
	group, ctx := errgroup.WithContext(ctx)
	for _, a := range s.addresses {
		group.Go(func() error { return bareHost(ctx, s, s.endpoint(a), commands) })
	}
	err := group.Wait()
	return measurement{wall: time.Since(began), cpu: ownCPU() - cpu}, err
}

func bareHost(ctx context.Context, s *servers, endpoint string, commands int) error {
	client, err := ssh.Dial("tcp", endpoint, &ssh.ClientConfig{
		User: s.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(s.client)}, HostKeyCallback: ssh.FixedHostKey(s.hostKey),
		Timeout: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	for range commands {
		session, err := client.NewSession()
		if err != nil {
			return err
		}
		_, err = session.CombinedOutput(command)
		_ = session.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// ownCPU is the processor time that this process has used; zero where the system does not tell.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return cpuOf(&u)
}

// cpuOf adds user and system time.
func cpuOf(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
