package mail_test

import (
	"fmt"

	"github.com/retort-web/retort"
	mailer "github.com/retort-web/retort/mail"
)

func ExampleSend() {
	var kept mailer.Memory
	app := retort.New()
	app.Install(mailer.New(mailer.Options{
		From: "Shop <shop@example.com>", Mailers: map[string]any{"default": &kept},
	}))
	err := mailer.Send(app.Context(), &mailer.Message{
		To: []string{"Ann <ann@example.com>"}, Bcc: []string{"archive@example.com"},
		Subject: "Your order", HTML: "<p>It is <b>on its way</b>.",
	})
	sent := kept.Sent()[0]
	fmt.Println(err, sent.From, sent.To)
	fmt.Print(sent.Message.Text)
	// Output:
	// <nil> shop@example.com [ann@example.com archive@example.com]
	// It is on its way.
}
