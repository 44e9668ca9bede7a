// Package server runs an [http.Handler] behind a net/http server that is ready for the open
// internet.
//
//	s := &server.Server{Addr: ":8000", Handler: mux}
//	if err := s.Run(context.Background()); err != nil {
//		log.Fatal(err)
//	}
//
// # What it adds to net/http
//
// A guard on every HTTP/1 connection refuses, with 400 and an end of the connection,
// messages that another program on the way might read differently: Content-Length with
// Transfer-Encoding, Transfer-Encoding in HTTP/1.0, folded header lines, bare line feeds,
// malformed or repeated Host headers, targets that name another host than the Host header.
// Too many header lines get 431.
//
// Deadlines are set, and they count progress rather than total time: a large upload or
// download may take hours as long as it moves, and a client that dawdles is cut.
//
// Headers whose names contain an underscore are dropped, because many programs take
// X_Forwarded_For and X-Forwarded-For for the same; TRACE is refused.
//
// Run ends on SIGTERM and SIGINT without losing a request, see [Server.Run]. HTTP/2 is
// served over TLS (see [TLSFiles]), and in clear text if [Server.H2C] is set. Certificate
// files are read again when they change.
//
// [AccessLog] writes a line per request. [ValidHost] serves programs with a server of their
// own.
package server

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Defaults of the fields of [Server].
const (
	DefaultAddr              = "127.0.0.1:5000"
	DefaultSocketMode        = fs.FileMode(0o660)
	DefaultReadHeaderTimeout = 5 * time.Second
	DefaultReadTimeout       = 60 * time.Second
	DefaultMinReadRate       = 1024
	DefaultWriteTimeout      = 60 * time.Second
	DefaultIdleTimeout       = 60 * time.Second
	DefaultMaxHeaderBytes    = 64 << 10
	DefaultMaxHeaders        = 100
	DefaultIdleGrace         = 100 * time.Millisecond
	DefaultShutdownTimeout   = 30 * time.Second
)

// A Server serves one handler on one listener. The zero value of every field but Handler is
// useful; for durations and limits zero means the default and a negative value none at all.
//
// The fields must not be changed while Run runs.
type Server struct {
	// Addr is where to listen: "127.0.0.1:8000", ":8000" for all addresses of the machine,
	// "unix:/run/app.sock" for a Unix socket, "fd:3" for a listening socket inherited from
	// a supervisor such as systemd. Port 0 means any free one. Default: "127.0.0.1:5000".
	Addr string

	// Listener is used instead of Addr if set. Run closes it.
	Listener net.Listener

	// SocketMode is the permission of a Unix socket. A socket that a crashed process left
	// is replaced; one that answers, or a file that is no socket, is an error. Default:
	// 0660.
	SocketMode fs.FileMode

	// Handler answers the requests. Default: http.DefaultServeMux, as in net/http.
	Handler http.Handler

	// BaseContext returns the context that those of all requests come from. Default: the
	// context given to Run, without its cancellation.
	BaseContext func(net.Listener) context.Context

	// Logger gets what is worth knowing about the server itself. Errors of clients are
	// logged at debug level. Default: slog.Default().
	Logger *slog.Logger

	// TLS makes the server speak TLS: TLSFiles("cert.pem", "key.pem"). Default: clear text.
	TLS *TLS

	// CertFile and KeyFile are PEM files that TLS uses in place of its own: they are for
	// names that come from a configuration. Without TLS they are an error.
	CertFile, KeyFile string

	// H2C allows HTTP/2 without TLS for clients that begin with it (prior knowledge), as
	// proxies on the same machine do.
	H2C bool

	// ReadHeaderTimeout is how long a TLS handshake, and then the head of a request, may
	// take. Default: 5 s.
	ReadHeaderTimeout time.Duration

	// ReadTimeout is how long, in sum, reading the body of a request may wait for the
	// client. MinReadRate bytes earn back a second of it. The time a handler takes for
	// itself does not count. Default: 60 s.
	ReadTimeout time.Duration

	// MinReadRate is the rate, in bytes per second, that a body must keep in the long run.
	// Default: 1024.
	MinReadRate int

	// WriteTimeout is how long a client may not take anything of a response; it is checked
	// in steps of 256 KiB and to within half of its value. A handler's own
	// http.ResponseController.SetWriteDeadline comes before it. Default: 60 s.
	WriteTimeout time.Duration

	// IdleTimeout is how long a connection is kept open for a next request. Default: 60 s.
	IdleTimeout time.Duration

	// MaxHeaderBytes limits the head of a request, MaxHeaders its number of header lines
	// and those of its trailer. Defaults: 64 KiB, 100.
	MaxHeaderBytes, MaxHeaders int

	// DrainDelay is how long to go on accepting connections after the end was asked for, so
	// that a load balancer that watches readiness can look elsewhere first. Default: 0.
	DrainDelay time.Duration

	// IdleGrace is how long an idle connection stays open while draining, for a request
	// that is already on its way. Default: 100 ms.
	IdleGrace time.Duration

	// ShutdownTimeout is how long draining may take, DrainDelay not counted, until what is
	// left is cut. Default: 30 s.
	ShutdownTimeout time.Duration

	// IgnoreSignals leaves SIGINT and SIGTERM to the program: only the context ends Run.
	IgnoreSignals bool

	// OnReady is called once the listener accepts connections, with its address.
	OnReady func(net.Addr)

	// OnDraining is called when the end was asked for, before anything else happens: the
	// moment to let a readiness check fail and to end streams. See also [Draining].
	OnDraining func()
}

func duration(value, otherwise time.Duration) time.Duration {
	if value == 0 {
		return otherwise
	}
	return max(value, 0)
}

func number(value, otherwise int) int {
	if value == 0 {
		return otherwise
	}
	return max(value, 0)
}

type drainingKey struct{}

// Draining returns a channel that is closed when the server of the request with this
// context begins to drain. Handlers of long streams watch it to end early and let the
// client connect to another server. It is nil, and so blocks for ever, for a request that
// no [Server] serves.
func Draining(ctx context.Context) <-chan struct{} {
	draining, _ := ctx.Value(drainingKey{}).(chan struct{})
	return draining
}
