package signing_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort/signing"
)

// A link in an e-mail that works for a week and for this one thing.
func Example() {
	keys, err := signing.New("a secret that only this program knows")
	if err != nil {
		fmt.Println(err)
		return
	}
	link := "https://example.org/unsubscribe?t=" + keys.Sign("unsubscribe", []byte("reader 42"))

	token := link[len("https://example.org/unsubscribe?t="):]
	payload, err := keys.Verify("unsubscribe", token, 7*24*time.Hour)
	fmt.Printf("%s, %v\n", payload, err)

	_, err = keys.Verify("delete account", token, 7*24*time.Hour)
	fmt.Println(errors.Is(err, signing.ErrInvalid))
	// Output:
	// reader 42, <nil>
	// true
}

// A value that the visitor carries but cannot read.
func ExampleKeys_Seal() {
	keys, err := signing.New("a secret that only this program knows")
	if err != nil {
		fmt.Println(err)
		return
	}
	token := keys.Seal("price offer", []byte("at least 80"))
	payload, err := keys.Open("price offer", token, time.Hour)
	fmt.Printf("%s, %v\n", payload, err)
	// Output: at least 80, <nil>
}

// To change the secret, put a new one in front of the old one.
func ExampleNew_rotation() {
	before, _ := signing.New("the secret of last year, still in use")
	token := before.Sign("unsubscribe", []byte("reader 42"))

	now, err := signing.New("the secret of this year, 2f9c7a", "the secret of last year, still in use")
	if err != nil {
		fmt.Println(err)
		return
	}
	payload, err := now.Verify("unsubscribe", token, time.Hour)
	fmt.Printf("%s, %v\n", payload, err)
	// Output: reader 42, <nil>
}
