package mail

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/retort-web/retort"
)

func (e *Extension) testCommand() retort.Command {
	var admins, managers bool
	return retort.Command{
		Name: "sendtestmail", Args: "ADDRESS…", Short: "Send a message to see whether mail works",
		Examples: "app sendtestmail ann@example.com\napp sendtestmail --admins --managers",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&admins, "admins", false, "to those who get what SendAdmins sends")
			fs.BoolVar(&managers, "managers", false, "to those who get what SendManagers sends")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			to := in.Args
			if admins {
				to = append(to, e.options.Admins...)
			}
			if managers {
				to = append(to, e.options.Managers...)
			}
			if len(to) == 0 {
				to = e.options.Admins
			}
			if len(to) == 0 {
				return errors.New("mail: to whom? sendtestmail ann@example.com")
			}
			host, _ := os.Hostname()
			name := e.app.Config().Name
			m := &Message{
				To: to, Subject: "Test mail of " + name,
				Text: fmt.Sprintf("%s on %s can send mail. %s\n", name, host, time.Now().Format(time.RFC1123Z)),
			}
			if err := Send(ctx, m); err != nil {
				return err
			}
			_, err := fmt.Fprintln(in.Out, "sent to", strings.Join(to, ", "))
			return err
		},
	}
}

// check knows what keeps mail from being sent in production.
func (e *Extension) check(_ context.Context, _ *retort.App, deploy bool) (found []retort.Finding) {
	if !deploy {
		return nil
	}
	add := func(id, message, hint string) {
		found = append(found, retort.Finding{ID: "mail." + id, Level: retort.LevelWarning, Message: message, Hint: hint})
	}
	scheme, _, _ := strings.Cut(e.options.URL, ":")
	_, replaced := e.options.Mailers[DefaultMailer]
	switch {
	case replaced:
	case scheme == "":
		add("url", "no mailer is set, so that sending mail fails", "set MAIL_URL: smtp://user:password@mail.example.com")
	case scheme == "console" || scheme == "memory" || scheme == "discard" || scheme == "file":
		add("url", "mail goes to "+scheme+": and reaches nobody", "set MAIL_URL: smtp://user:password@mail.example.com")
	case scheme == "smtp" && strings.Contains(e.options.URL, "tls=none"):
		add("tls", "mail is sent in clear text", "leave tls=none out of MAIL_URL; the server must then offer STARTTLS")
	}
	if e.options.From == "" {
		add("from", "messages that name no sender cannot be sent", "set MAIL_FROM: Shop <shop@example.com>")
	}
	return found
}
