package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/retort-web/retort/server"
)

// A server that runs until its context ends, or until the process is told to end.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server.Server{
		Addr: "127.0.0.1:0", // any free port
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "hello")
		}),
		OnReady: func(addr net.Addr) {
			go func() {
				response, err := http.Get("http://" + addr.String())
				if err == nil {
					io.Copy(os.Stdout, response.Body)
					response.Body.Close()
				}
				cancel()
			}()
		},
		OnDraining: func() { fmt.Println("draining") },
	}
	fmt.Println(s.Run(ctx))
	// Output:
	// hello
	// draining
	// <nil>
}

// A stream that ends when the server drains, so that its client can connect to another one.
func ExampleDraining() {
	events := make(chan string)
	handler := func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case event := <-events:
				fmt.Fprintf(w, "data: %s\n\n", event)
				http.NewResponseController(w).Flush()
			case <-server.Draining(r.Context()):
				return
			case <-r.Context().Done():
				return
			}
		}
	}
	http.HandleFunc("GET /events", handler)
}

func ExampleAccessLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, nil))
	s := &server.Server{Handler: server.AccessLog(http.DefaultServeMux, logger, "/healthz", "/readyz")}
	_ = s
}

func ExampleValidHost() {
	for _, host := range []string{"example.com:8080", "[::1]", "example.com,evil.example", "a:b"} {
		fmt.Println(host, server.ValidHost(host))
	}
	// Output:
	// example.com:8080 true
	// [::1] true
	// example.com,evil.example false
	// a:b false
}
