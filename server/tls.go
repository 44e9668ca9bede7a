package server

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
)

// TLS makes a [Server] serve over TLS. [TLSFiles] and [NewTLS] make one. They
// alone refer to the server's half of crypto/tls, so that a program which
// leaves TLS to a proxy does not carry it: some 380 kB.
type TLS struct {
	certFile, keyFile string
	config            *tls.Config
	prepare           func(t *TLS, logger *slog.Logger) (*tls.Config, error)
	shake             func(net.Conn, *tls.Config) (conn net.Conn, protocol string, err error)
}

// TLSFiles serves over TLS with a certificate chain and a private key from PEM
// files, which are read again within seconds after they change. The protocols
// are TLS 1.2 and newer, HTTP/2 and HTTP/1.1.
//
// The names in [Server].CertFile and KeyFile come before these. With neither
// there and here, the server speaks clear text: TLSFiles("", "") leaves it to
// the configuration whether there is TLS.
func TLSFiles(certFile, keyFile string) *TLS {
	return &TLS{certFile: certFile, keyFile: keyFile, prepare: prepareTLS, shake: shakeTLS}
}

// NewTLS serves over TLS with a configuration of one's own, for certificates
// that come from elsewhere. It is not changed; NextProtos and MinVersion get
// the values of [TLSFiles] where they are not set.
func NewTLS(config *tls.Config) *TLS {
	if config == nil {
		config = new(tls.Config)
	}
	return &TLS{config: config, prepare: prepareTLS, shake: shakeTLS}
}

// names returns a copy with the server's file names, where it has some.
func (t *TLS) names(certFile, keyFile string) *TLS {
	named := *t
	if certFile != "" || keyFile != "" {
		named.certFile, named.keyFile = certFile, keyFile
	}
	return &named
}

// Active reports whether a server with these certificate files, as in
// [Server].CertFile and KeyFile, speaks TLS. A nil TLS is not active.
func (t *TLS) Active(certFile, keyFile string) bool {
	if t == nil {
		return false
	}
	named := t.names(certFile, keyFile)
	return named.config != nil || named.certFile != "" || named.keyFile != ""
}

// prepareTLS completes the configuration and loads the certificate.
func prepareTLS(t *TLS, logger *slog.Logger) (*tls.Config, error) {
	config := t.config.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if t.certFile != "" || t.keyFile != "" {
		if t.certFile == "" || t.keyFile == "" {
			return nil, errors.New("server: TLS needs both a certificate file and a key file")
		}
		pair, err := loadCertificate(t.certFile, t.keyFile, logger)
		if err != nil {
			return nil, err
		}
		config.GetCertificate = pair.get
	}
	if config.NextProtos == nil {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	return config, nil
}

// speaksHTTPS is the answer to clear text where TLS was expected.
const speaksHTTPS = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Connection: close\r\n\r\nThis address speaks HTTPS: use https:// in place of http://\n"

// shakeTLS does the handshake and returns the protocol that was agreed on.
func shakeTLS(conn net.Conn, config *tls.Config) (net.Conn, string, error) {
	secure := tls.Server(conn, config)
	if err := secure.Handshake(); err != nil {
		wrong, ok := errors.AsType[tls.RecordHeaderError](err)
		if ok && wrong.Conn != nil && looksLikeHTTP(wrong.RecordHeader) {
			io.WriteString(wrong.Conn, speaksHTTPS)
		}
		return nil, "", err
	}
	return secure, secure.ConnectionState().NegotiatedProtocol, nil
}

func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
		return true
	}
	return false
}
