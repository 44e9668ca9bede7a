package passkeys

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
)

// list shows a user their passkeys.
func (e *Extension) list(c *retort.Ctx) error { return e.show(c, http.StatusOK, "") }

// show shows the page, with a word about what went wrong.
func (e *Extension) show(c *retort.Ctx, status int, problem string) error {
	of, err := ownerOf(c, auth.Must(c))
	if err != nil {
		return err
	}
	ways, err := e.pages.Ways(c, of.user)
	if err != nil {
		return err
	}
	return c.Status(status).Render("passkeys/list.html", map[string]any{
		"passkeys": of.passkeys, "full": len(of.passkeys) >= e.options.PerUser, "unproven": e.pages.Unproven(of.user), "last": ways < 2, "problem": form.Translate(c, problem),
	})
}

// addOptions asks the authenticator for a new passkey.
func (e *Extension) addOptions(c *retort.Ctx) error {
	if e.pages.Unproven(auth.Must(c)) {
		return auth.ErrForbidden // the page offers it to no such user
	}
	party, err := e.partyOf(c)
	if err != nil {
		return err
	}
	of, err := newOwner(c, auth.Must(c))
	if err != nil {
		return err
	}
	known := webauthn.Credentials(of.WebAuthnCredentials()).CredentialDescriptors()
	asked, session, err := party.BeginRegistration(of, webauthn.WithCredentialParameters(parameters), webauthn.WithExclusions(known))
	if err != nil {
		return err
	}
	if err := ask(c, forAdd, session.Challenge); err != nil {
		return err
	}
	asked.Response.Timeout = int(askedFor.Milliseconds())
	return c.JSON(asked.Response)
}

// add keeps the passkey that the authenticator made.
func (e *Extension) add(c *retort.Ctx) error {
	user := auth.Must(c)
	if e.pages.Unproven(user) {
		return auth.ErrForbidden
	}
	party, err := e.partyOf(c)
	if err != nil {
		return err
	}
	of, err := ownerOf(c, user)
	if err != nil {
		return err
	}
	if len(of.passkeys) >= e.options.PerUser {
		return e.show(c, http.StatusUnprocessableEntity, "You have as many passkeys as there may be. Delete one first.")
	}
	made, err := e.made(c, party, of, c.FormValue("credential"))
	if errors.Is(err, errRefused) {
		return e.show(c, http.StatusUnprocessableEntity, "The passkey was not made. Try again.")
	}
	if err != nil {
		return err
	}
	row := Passkeys.New()
	row.User.Set(user)
	row.Digest, row.CredentialID, row.PublicKey = digest(made.ID), made.ID, made.PublicKey
	row.SignCount = int64(made.Authenticator.SignCount)
	row.Transports = []string{}
	for _, t := range made.Transport[:min(len(made.Transport), 10)] {
		if len(t) <= 20 {
			row.Transports = append(row.Transports, string(t))
		}
	}
	row.BackupEligible, row.BackedUp = made.Flags.BackupEligible, made.Flags.BackupState
	if row.Name = nameOf(c.FormValue("name")); row.Name == "" {
		row.Name = form.Translate(c, "Passkey of {day}", "day", time.Now().UTC().Format(time.DateOnly))
	}
	err = orm.Atomic(c, func(ctx context.Context) error { return Passkeys.Insert(ctx, row) })
	if orm.IsUnique(err) {
		return e.show(c, http.StatusConflict, "That passkey is here already.")
	}
	if err != nil {
		return err
	}
	e.auth.Tell(c, Added, user)
	if err := e.mail(c, user, row.Name, true); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "The passkey {name} was added. You can log in with it from now on.", "name", row.Name))
	return e.backToList(c)
}

// made checks what an authenticator says about a passkey that it made.
func (e *Extension) made(c *retort.Ctx, party *webauthn.WebAuthn, of *owner, text string) (*webauthn.Credential, error) {
	if len(text) > maxAnswer || of.handle == nil {
		return nil, errRefused
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(text))
	if err != nil {
		return nil, errRefused
	}
	q, err := take(c, forAdd, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	made, err := party.CreateCredential(of, webauthn.SessionData{
		Challenge: q.Challenge, RelyingPartyID: party.Config.RPID, UserID: of.handle, UserVerification: protocol.VerificationRequired, CredParams: parameters,
	}, answer)
	if err != nil {
		e.app.Logger().InfoContext(c, "a new passkey was refused", "user", of.user.ID, "reason", reason(err))
		return nil, errRefused
	}
	return made, nil
}

// nameOf is what a user calls a passkey, as it is kept.
func nameOf(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")), " ")
	for len(text) > maxName {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// maxName is the longest name in bytes.
const maxName = 100

// own returns the passkey that an address names, if it is the user's.
func own(c *retort.Ctx) (*Passkey, error) {
	p := Passkeys.Fields()
	row, err := Passkeys.Where(orm.Lookup("pk", c.Param("id")), orm.Eq(&p.User.ID, auth.Must(c).ID)).Get(c)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, retort.NotFound("")
	}
	return row, err
}

func (e *Extension) rename(c *retort.Ctx) error {
	row, err := own(c)
	if err != nil {
		return err
	}
	name := nameOf(c.FormValue("name"))
	if name == "" {
		return e.show(c, http.StatusUnprocessableEntity, "A passkey needs a name.")
	}
	p := Passkeys.Fields()
	if _, err := Passkeys.Where(orm.Eq(&p.ID, row.ID)).Update(c, orm.Set(&p.Name, name)); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "The passkey is called {name} now.", "name", name))
	return e.backToList(c)
}

// errLastWay says that a user would be locked out.
var errLastWay = errors.New("passkeys: the last way to log in")

// remove deletes a passkey, unless its owner could not log in then. It is mostly lost,
// so the sessions that it began elsewhere end.
func (e *Extension) remove(c *retort.Ctx) error {
	row, err := own(c)
	if err != nil {
		return err
	}
	user := auth.Must(c)
	err = orm.Atomic(c, func(ctx context.Context) error {
		// One at a time, or two would each leave the other as the last.
		u, p := auth.Users.Fields(), Passkeys.Fields()
		if _, err := auth.Users.Where(orm.Eq(&u.ID, user.ID)).ForUpdate().Get(ctx); err != nil {
			return err
		}
		ways, err := e.pages.Ways(ctx, user)
		if err != nil {
			return err
		}
		if ways < 2 {
			return errLastWay
		}
		_, err = Passkeys.Where(orm.Eq(&p.ID, row.ID)).Delete(ctx)
		return err
	})
	if errors.Is(err, errLastWay) {
		return e.show(c, http.StatusConflict, "This is the only way in which you can log in. Set a password or add another passkey first.")
	}
	if err != nil {
		return err
	}
	if _, err := e.app.Sessions().EndOthers(c, c.Session()); err != nil && !errors.Is(err, session.ErrNotOnServer) {
		return err
	}
	e.auth.Tell(c, Removed, user)
	if err := e.mail(c, user, row.Name, false); err != nil {
		return err
	}
	c.Flash("success", form.Translate(c, "The passkey {name} was deleted here. Delete it in your password manager or on your device as well.", "name", row.Name))
	return e.backToList(c)
}

func (e *Extension) backToList(c *retort.Ctx) error {
	to, err := c.URL("passkeys.list")
	if err != nil {
		return err
	}
	return c.Redirect(to)
}

// mail tells a user that their passkeys have changed, in the background.
func (e *Extension) mail(c *retort.Ctx, user *auth.User, name string, added bool) error {
	m, err := mail.Template(c, "passkeys/mail/changed", map[string]any{"site": e.app.Config().Name, "name": name, "added": added})
	if err != nil {
		return err
	}
	m.To = []string{user.Email}
	e.app.Go("mail about a passkey", func(ctx context.Context) {
		if err := mail.Send(ctx, m); err != nil {
			e.app.Logger().Error("a mail about a passkey was not sent", slog.Any("error", err))
		}
	})
	return nil
}
