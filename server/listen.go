package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// listen opens what Addr names.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if s.Listener != nil {
		return s.Listener, nil
	}
	addr := s.Addr
	if addr == "" {
		addr = DefaultAddr
	}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return listenUnix(ctx, path, s.SocketMode)
	}
	if number, ok := strings.CutPrefix(addr, "fd:"); ok {
		return listenFD(number)
	}
	config := new(net.ListenConfig)
	config.SetMultipathTCP(false) // its sockets take no filter, see refuseHandshakes
	ln, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, listenError(addr, err)
	}
	return ln, nil
}

// shared reports whether the listening socket may be used by others, now or later.
func (s *Server) shared() bool { return s.Listener != nil || strings.HasPrefix(s.Addr, "fd:") }

func listenError(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("server: %s is in use: stop the program that serves there or choose another address: %w", addr, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("server: no permission to listen on %s: ports below 1024 need privileges: %w", addr, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("server: %s is no address of this machine: %w", addr, err)
	}
	return fmt.Errorf("server: cannot listen on %q: %w", addr, err)
}

// listenFD takes over a socket that a supervisor opened, as systemd does from number 3 on.
func listenFD(number string) (net.Listener, error) {
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("server: address \"fd:%s\" needs the number of an inherited socket, 3 or more", number)
	}
	file := os.NewFile(uintptr(fd), "fd:"+number)
	if file == nil {
		return nil, fmt.Errorf("server: file descriptor %d is not open", fd)
	}
	defer file.Close()
	ln, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("server: file descriptor %d is not a listening socket: %w", fd, err)
	}
	return ln, nil
}

// A unixListener removes its socket file when closed, if the file is still its own.
type unixListener struct {
	*net.UnixListener
	path string
	info fs.FileInfo
	once sync.Once
}

// listenUnix opens a Unix socket with the given permissions. The socket is made under a
// passing name, given its mode and then renamed, so that nobody can connect before the mode
// holds and what a crashed process left behind is replaced in one step.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("server: address \"unix:\" needs a path, as in unix:/run/app.sock")
	}
	if mode == 0 {
		mode = DefaultSocketMode
	}
	if err := checkStale(ctx, path); err != nil {
		return nil, err
	}
	passing := filepath.Join(filepath.Dir(path), "."+strconv.Itoa(os.Getpid())+"~")
	os.Remove(passing)
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", passing)
	if err != nil {
		return nil, listenError("unix:"+path, err)
	}
	ul := ln.(*net.UnixListener)
	ul.SetUnlinkOnClose(false)
	u := &unixListener{UnixListener: ul, path: path}
	if err = os.Chmod(passing, mode.Perm()); err == nil {
		if u.info, err = os.Lstat(passing); err == nil {
			err = os.Rename(passing, path)
		}
	}
	if err != nil {
		ul.Close()
		os.Remove(passing)
		return nil, fmt.Errorf("server: cannot set up socket %s: %w", path, err)
	}
	return u, nil
}

// checkStale makes sure that path is free or a socket that nobody answers.
func checkStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("server: cannot look at socket %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("server: %s exists and is not a socket: it will not be replaced", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("server: another program answers on socket %s", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("server: cannot tell whether socket %s is in use: %w", path, err)
	}
	return nil
}

func (u *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: u.path, Net: "unix"} }

func (u *unixListener) Close() error {
	u.remove()
	return u.UnixListener.Close()
}

func (u *unixListener) remove() {
	u.once.Do(func() {
		if info, err := os.Lstat(u.path); err == nil && os.SameFile(info, u.info) {
			os.Remove(u.path)
		}
	})
}
