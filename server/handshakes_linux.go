package server

import "syscall"

// refuseHandshakes makes the kernel ignore new connections to a listening TCP socket, while
// it completes those that are being made: a filter drops packets with the SYN flag. Clients
// try again after a second, and find another process, or nobody, in place of a connection
// that is reset. Accepted connections inherit the filter, which means nothing to them.
func refuseHandshakes(socket syscall.Conn) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	// The program sees the TCP header: its 14th byte holds the flags (RFC 9293 section
	// 3.1).
	const flags, syn = 13, 0x02
	program := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_B | syscall.BPF_ABS, K: flags},
		{Code: syscall.BPF_JMP | syscall.BPF_JSET | syscall.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 0},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 0xffffffff},
	}
	var attached error
	err = raw.Control(func(fd uintptr) {
		//nolint:staticcheck // deprecated for its helpers that write programs, but the only one that attaches them
		attached = syscall.AttachLsf(int(fd), program)
	})
	return err == nil && attached == nil
}
