//go:build !linux

package sshtransport_test

import (
	"net"
	"testing"
)

func userTimeout(*testing.T, net.Conn) int { return 0 }
