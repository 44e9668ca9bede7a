package passkeys

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

const (
	// askedFor is how long a question may be answered.
	askedFor = 5 * time.Minute
	// maxAsked is how many questions of a kind a session may have open: one for each
	// tab.
	maxAsked = 5
	// maxAnswer is the longest answer that is read, in bytes.
	maxAnswer = 32 << 10
)

// kind is what a question is for; it is its key in the session.
type kind string

// The kinds: who wants in, who has given a password, and who adds a passkey.
const (
	forLogin kind = "passkeys login"
	forCode  kind = "passkeys code"
	forAdd   kind = "passkeys add"
)

// errRefused says that an answer is worth nothing. Why is nobody's business.
var errRefused = errors.New("passkeys: the answer is not one")

// question is a challenge that waits in the session.
type question struct {
	Challenge string `json:"c"`
	Asked     int64  `json:"t"` // microseconds
}

func (q question) over() bool {
	age := time.Since(time.UnixMicro(q.Asked))
	return age > askedFor || age < -askedFor
}

// open returns the questions of a kind that wait.
func open(c *retort.Ctx, k kind) []question {
	text, _ := c.Session().Get(string(k)).(string)
	var list []question
	if text == "" || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	return slices.DeleteFunc(list, question.over)
}

func keep(c *retort.Ctx, k kind, list []question) error {
	if len(list) == 0 {
		c.Session().Delete(string(k))
		return nil
	}
	text, err := json.Marshal(list[max(0, len(list)-maxAsked):])
	if err == nil {
		c.Session().Set(string(k), string(text))
	}
	return err
}

// ask puts a challenge into the session.
func ask(c *retort.Ctx, k kind, challenge string) error {
	return keep(c, k, append(open(c, k), question{challenge, time.Now().UnixMicro()}))
}

// take takes the question that an answer has out of the session: a second answer finds
// none, whether the first was right or wrong.
func take(c *retort.Ctx, k kind, challenge string) (question, error) {
	list := open(c, k)
	i := slices.IndexFunc(list, func(q question) bool { return q.Challenge == challenge })
	if i < 0 {
		return question{}, errRefused
	}
	q := list[i]
	return q, keep(c, k, slices.Delete(list, i, i+1))
}

// parameters are the signatures that are taken, best liked first.
var parameters = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// answered checks what an authenticator says to a question of a kind: of anybody's
// passkey, or, for the second step of a login, of one of the user's. It returns the
// passkey, with its user, who is active. The error is errRefused, or one of the
// database.
func (e *Extension) answered(c *retort.Ctx, k kind, text string, half *auth.User) (*Passkey, error) {
	party, err := e.partyOf(c)
	if err != nil {
		return nil, err
	}
	if len(text) > maxAnswer {
		return nil, errRefused
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(text))
	if err != nil {
		return nil, errRefused
	}
	q, err := take(c, k, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	p := Passkeys.Fields()
	key, err := Passkeys.Where(orm.Eq(&p.Digest, digest(answer.RawID))).With(&p.User).Get(c)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, errRefused
	}
	if err != nil {
		return nil, err
	}
	user, err := key.User.Get()
	if err != nil {
		return nil, err
	}
	if !user.Active || half != nil && half.ID != user.ID {
		return nil, errRefused
	}
	of, err := ownerOf(c, user)
	if err != nil {
		return nil, err
	}
	session := webauthn.SessionData{Challenge: q.Challenge, RelyingPartyID: party.Config.RPID, UserVerification: protocol.VerificationRequired}
	var proved *webauthn.Credential
	if half == nil {
		find := func([]byte, []byte) (webauthn.User, error) { return of, nil }
		proved, err = party.ValidateDiscoverableLogin(find, session, answer)
	} else {
		// The password was the other factor: that the key is there is enough.
		session.UserVerification, session.UserID = protocol.VerificationDiscouraged, of.handle
		proved, err = party.ValidateLogin(of, session, answer)
	}
	if err != nil {
		e.app.Logger().InfoContext(c, "a passkey was refused", "user", user.ID, "reason", reason(err))
		e.auth.Tell(c, auth.LoginFailed, user)
		return nil, errRefused
	}
	if proved.Authenticator.CloneWarning {
		e.app.Logger().WarnContext(c, "the counter of a passkey went back: there may be a copy of it", "user", user.ID, "passkey", key.ID)
		e.auth.Tell(c, Cloned, user)
		return nil, errRefused
	}
	return key, e.used(c, key, proved, q)
}

// used notes that a passkey has answered a question, once: a session that is kept in a
// cookie forgets nothing if somebody sends an old one.
func (e *Extension) used(ctx context.Context, key *Passkey, proved *webauthn.Credential, q question) error {
	p := Passkeys.Fields()
	now := time.Now().UTC().Truncate(time.Microsecond)
	n, err := Passkeys.Where(orm.Eq(&p.ID, key.ID), orm.Lt(&p.Asked, q.Asked), orm.Eq(&p.SignCount, key.SignCount)).Update(ctx,
		orm.Set(&p.Asked, q.Asked), orm.Set(&p.SignCount, int64(proved.Authenticator.SignCount)),
		orm.Set(&p.BackedUp, proved.Flags.BackupState), orm.Set(&p.LastUsed, &now))
	if err == nil && n == 0 {
		return errRefused
	}
	return err
}

// reason is what the library says, without what came from the visitor.
func reason(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return strings.TrimSpace(e.Type + ": " + e.Details)
	}
	return "not known"
}
