package postgres

import (
	"net"
	"testing"
	"time"
)

// pair is the two ends of a connection.
func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

func TestInputIsSeen(t *testing.T) {
	t.Parallel()
	client, server := pair(t)
	if hasInput(client) {
		t.Error("input of nobody")
	}
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); !hasInput(client); time.Sleep(time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("what was written is not seen")
		}
	}
	client, server = pair(t)
	_ = server.Close()
	for start := time.Now(); !hasInput(client); time.Sleep(time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("the end is not seen")
		}
	}
}

// The driver reads in the background after a write that took long. Looking for input then
// waited for ever.
func TestInputIsLookedForWhileTheDriverReads(t *testing.T) {
	t.Parallel()
	client, _ := pair(t)
	go func() { _, _ = client.Read(make([]byte, 1)) }()
	time.Sleep(20 * time.Millisecond)
	looked := make(chan bool)
	go func() { looked <- hasInput(client) }()
	select {
	case input := <-looked:
		if input {
			t.Error("input of nobody")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the read that is going on")
	}
}
