package main

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// client is what the provider calls the site.
const client = "notes"

// people are the users of the provider.
type people map[string]*storage.User

func (p people) GetUserByID(id string) *storage.User         { return p[id] }
func (p people) GetUserByUsername(name string) *storage.User { return p[name] }
func (people) ExampleClientID() string                       { return storage.ServiceUserID }

// serveProvider runs a provider on a port of the system's choice, until the program
// ends, and returns its issuer. It sends visitors back to a path of this machine alone.
func serveProvider(callback string) (issuer string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	issuer = "http://" + listener.Addr().String() + "/"
	users := people{}
	for _, name := range []string{"ann", "ben", "cleo"} {
		users[name] = &storage.User{
			ID: name, Username: name, Password: "verysecure", FirstName: name, Email: name + "@example.com", EmailVerified: true,
		}
	}
	// A native client may have any port of this machine: the site's is not known yet.
	known := map[string]*storage.Client{client: storage.NativeClient(client, "http://127.0.0.1"+callback)}
	server := &http.Server{
		Handler:           exampleop.SetupServer(issuer, storage.NewStorageWithClients(users, known), slog.New(slog.DiscardHandler), false),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { slog.Error("the provider ended", "error", server.Serve(listener)) }()
	return issuer, nil
}
