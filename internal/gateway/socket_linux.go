package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// listenAdmin opens the administrative socket, which its owner alone may
// connect to. A socket that a killed gateway left behind is replaced: the
// caller holds the lock of the data folder, so nobody serves it.
func listenAdmin(ctx context.Context, path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace the administrative socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the administrative socket: %w", err)
	}
	// Until here the folder keeps others out, and the check of peers always does.
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("close the administrative socket to others: %w", err)
	}
	return &peerListener{listener.(*net.UnixListener)}, nil
}

// peerListener lets in root and the gateway's own user only, as the kernel says
// who they are.
type peerListener struct{ *net.UnixListener }

func (l *peerListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if peer, err := peerOf(conn); err == nil && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid()) {
			return conn, nil
		}
		conn.Close()
	}
}

func peerOf(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var inner error
	err = raw.Control(func(fd uintptr) {
		peer, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return peer, errors.Join(err, inner)
}
