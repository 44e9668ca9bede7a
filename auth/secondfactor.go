package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image/png"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/signing"
)

// SecondFactor is that a user logs in with a code beside the password: one of an
// authenticator app, which makes a code every 30 seconds of a secret that it shares with
// the site (TOTP, RFC 6238), or one that is sent.
type SecondFactor struct {
	User orm.OneToOne[User] `orm:"pk,on_delete=cascade"`
	// Way is the name of the [CodeSender], "" for an authenticator app.
	Way string `orm:"size=30,blank,default=" form:"-"`
	// Secret is sealed with the app's keys, "" where codes are sent.
	Secret string `orm:"size=255" json:"-" form:"-"`
	// LastStep is the step of time of the last code that was used: it and those
	// before it are worth nothing.
	LastStep int64     `json:"-" form:"-"`
	Created  time.Time // which sessions remember, so that another secret asks again
}

// Meta names the table.
func (SecondFactor) Meta(*SecondFactor) orm.Meta { return orm.Meta{Table: "auth_second_factors"} }

// RecoveryCode lets a user in once who has lost the authenticator app, or gets no codes
// any more.
type RecoveryCode struct {
	orm.Model
	User orm.FK[User] `orm:"on_delete=cascade"`
	Hash string       `orm:"size=64" json:"-" form:"-"`
	Used *time.Time
}

// Meta names the table.
func (RecoveryCode) Meta(r *RecoveryCode) orm.Meta {
	return orm.Meta{Table: "auth_recovery_codes", Unique: orm.Uniques(orm.UniqueTogether(&r.User, &r.Hash))}
}

// The queries of all second factors and recovery codes.
var (
	SecondFactors = orm.Register[SecondFactor]()
	RecoveryCodes = orm.Register[RecoveryCode]()
)

// The errors of second factors.
var (
	// ErrWrongCode says that a code is not one, is over, or was used.
	ErrWrongCode = errors.New("auth: the code is not right")
	// ErrSecondFactorOn says that the user has a second factor already.
	ErrSecondFactorOn = errors.New("auth: the user has a second factor already; remove it first")
)

const (
	secretPurpose    = "auth second factor"
	enrolmentPurpose = "auth second factor enrolment"
	enrolmentKey     = "auth enrolment" // in the session: the secret, sealed
	enrolmentAge     = time.Hour
	codePeriod       = 30 * time.Second
	recoveryCodes    = 10
	recoveryLength   = 16 // of 32 signs: 80 bits
)

var codeOptions = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// Enrolment is a secret that waits for its first code.
type Enrolment struct {
	// URI is what the authenticator app reads, otpauth://totp/…, mostly as a QR code.
	URI string
	// Secret is the same to be typed in.
	Secret string
}

// QR returns the URI as a QR code, a PNG of 240 by 240 pixels without a margin.
func (e *Enrolment) QR() ([]byte, error) {
	key, err := otp.NewKeyFromURL(e.URI)
	if err != nil {
		return nil, fmt.Errorf("auth: enrolment: %w", err)
	}
	img, err := key.Image(240, 240)
	if err != nil {
		return nil, fmt.Errorf("auth: QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("auth: QR code: %w", err)
	}
	return b.Bytes(), nil
}

// EnrolSecondFactor returns the secret with which a user makes an authenticator app
// their second factor. It waits in the session for [Extension.ConfirmSecondFactor],
// for an hour, and is the same until then.
func (e *Extension) EnrolSecondFactor(c *retort.Ctx, user *User) (*Enrolment, error) {
	secret, ok := e.enrolling(c, user)
	if !ok {
		random := make([]byte, 20) // as long as the output of SHA-1, RFC 4226
		rand.Read(random)          // never fails: the runtime ends the program instead
		secret = string(random)
		c.Session().Set(enrolmentKey, e.app.Keys().Seal(enrolmentPurpose, []byte(user.key()+"\x00"+secret)))
	}
	issuer := strings.ReplaceAll(e.app.Config().Name, ":", " ")
	if issuer == "" {
		issuer = "Login"
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: user.Email, Secret: []byte(secret)})
	if err != nil {
		return nil, fmt.Errorf("auth: enrolment: %w", err)
	}
	return &Enrolment{key.URL(), key.Secret()}, nil
}

// enrolling returns the secret that waits in the session.
func (e *Extension) enrolling(c *retort.Ctx, user *User) (string, bool) {
	sealed, _ := c.Session().Get(enrolmentKey).(string)
	b, err := e.app.Keys().Open(enrolmentPurpose, sealed, enrolmentAge)
	if err != nil {
		return "", false
	}
	key, secret, ok := strings.Cut(string(b), "\x00")
	return secret, ok && key == user.key()
}

// ConfirmSecondFactor makes the secret of [Extension.EnrolSecondFactor] the user's
// second factor if the code is one of it, and returns ten recovery codes, which are
// shown once and kept as hashes. The session counts as one that gave a code. The
// error is [ErrWrongCode], [ErrSecondFactorOn] or a *[ThrottledError].
func (e *Extension) ConfirmSecondFactor(c *retort.Ctx, user *User, code string) (codes []string, err error) {
	secret, ok := e.enrolling(c, user)
	if !ok {
		return nil, ErrWrongCode
	}
	attempt, err := e.throttle.beginCode(c, user.key())
	if err != nil {
		return nil, err
	}
	defer attempt.end(c)
	step, ok := e.stepOf(secret, plainCode(code), 0)
	if !ok {
		attempt.failed()
		e.tell(c, CodeFailed, user, "")
		return nil, ErrWrongCode
	}
	attempt.succeeded(c)
	row := SecondFactors.New()
	row.Secret, row.LastStep = e.seal(user, secret), step
	return e.switchOn(c, user, row)
}

// switchOn gives a user their second factor, of which the session has given a code.
func (e *Extension) switchOn(c *retort.Ctx, user *User, row *SecondFactor) (codes []string, err error) {
	row.User.Set(user)
	row.Created = time.Now().UTC().Truncate(time.Microsecond)
	err = orm.Atomic(c, func(ctx context.Context) error {
		if err := SecondFactors.Insert(ctx, row); err != nil {
			return err
		}
		codes, err = e.replaceRecoveryCodes(ctx, user)
		return err
	})
	if orm.IsUnique(err) {
		return nil, ErrSecondFactorOn
	}
	if err != nil {
		return nil, err
	}
	s := c.Session()
	s.Delete(enrolmentKey)
	s.Set(passedKey, row.mark())
	s.Rotate()
	e.tell(c, SecondFactorOn, user, "")
	return codes, nil
}

// RemoveSecondFactor takes the second factor from a user, and the recovery codes. It
// asks nothing: put [RequireFresh] and [RequireSecondFactor] before it.
func (e *Extension) RemoveSecondFactor(ctx context.Context, user *User) error {
	factor, code := SecondFactors.Fields(), RecoveryCodes.Fields()
	removed := int64(0)
	err := orm.Atomic(ctx, func(ctx context.Context) (err error) {
		if err = forgetSentCode(ctx, user); err != nil {
			return err
		}
		if _, err = RecoveryCodes.Where(orm.Eq(&code.User.ID, user.ID)).Delete(ctx); err != nil {
			return err
		}
		removed, err = SecondFactors.Where(orm.Eq(&factor.User.ID, user.ID)).Delete(ctx)
		return err
	})
	if err == nil && removed > 0 {
		e.tell(ctx, SecondFactorOff, user, "")
	}
	return err
}

// secondFactorOf returns the second factor of a user, or nil.
func secondFactorOf(ctx context.Context, user *User) (*SecondFactor, error) {
	p := SecondFactors.Fields()
	row, err := SecondFactors.Where(orm.Eq(&p.User.ID, user.ID)).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	return row, err
}

// HasSecondFactor reports whether a user logs in with a code beside the password.
func HasSecondFactor(ctx context.Context, user *User) (bool, error) {
	row, err := secondFactorOf(ctx, user)
	return row != nil, err
}

// NewRecoveryCodes replaces the recovery codes of a user by ten others, which are
// shown once.
func (e *Extension) NewRecoveryCodes(ctx context.Context, user *User) (codes []string, err error) {
	err = orm.Atomic(ctx, func(ctx context.Context) (err error) {
		codes, err = e.replaceRecoveryCodes(ctx, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	e.tell(ctx, RecoveryCodesMade, user, "")
	return codes, nil
}

func (e *Extension) replaceRecoveryCodes(ctx context.Context, user *User) ([]string, error) {
	p := RecoveryCodes.Fields()
	if _, err := RecoveryCodes.Where(orm.Eq(&p.User.ID, user.ID)).Delete(ctx); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		plain := rand.Text()[:recoveryLength]
		codes[i] = plain[:4] + "-" + plain[4:8] + "-" + plain[8:12] + "-" + plain[12:]
		row := RecoveryCodes.New()
		row.User.Set(user)
		row.Hash = recoveryHash(user, plain)
		if err := RecoveryCodes.Insert(ctx, row); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

func recoveryHash(user *User, plain string) string { return hashOf(user.key() + "\x00" + plain) }

// RecoveryCodesLeft returns how many recovery codes a user has not used.
func RecoveryCodesLeft(ctx context.Context, user *User) (int64, error) {
	p := RecoveryCodes.Fields()
	return RecoveryCodes.Where(orm.Eq(&p.User.ID, user.ID), orm.IsNull(&p.Used)).Count(ctx)
}

// useCode takes a code of the authenticator app, one that was sent, or a recovery code,
// once. A user's wrong codes are bounded, wherever they come from.
func (e *Extension) useCode(ctx context.Context, user *User, factor *SecondFactor, code string) error {
	attempt, err := e.throttle.beginCode(ctx, user.key())
	if err != nil {
		return err
	}
	defer attempt.end(ctx)
	plain := plainCode(code)
	var ok bool
	switch {
	case len(plain) == recoveryLength:
		ok, err = e.useRecoveryCode(ctx, user, plain)
		if ok && err == nil {
			err = forgetSentCode(ctx, user)
		}
	case factor.Way != "":
		ok, err = e.useSentCode(ctx, user, factor.Way, forLogin, plain)
	default:
		ok, err = e.useStep(ctx, user, factor, plain)
	}
	switch {
	case err != nil:
		return err
	case !ok:
		attempt.failed()
		e.tell(ctx, CodeFailed, user, "")
		return ErrWrongCode
	}
	attempt.succeeded(ctx)
	return nil
}

// plainCode is a code as it is compared: people group digits and letters.
func plainCode(code string) string {
	if len(code) > 100 {
		return ""
	}
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

// stepOf returns the step of time whose code this is: the present one, or, as clocks
// differ, the one before or after it. Those up to the last that was used are none.
func (e *Extension) stepOf(secret, code string, last int64) (int64, bool) {
	text := totpEncoding.EncodeToString([]byte(secret))
	now := e.now().Unix() / int64(codePeriod/time.Second)
	for step := now - 1; step <= now+1; step++ {
		// It compares in constant time.
		ok, err := hotp.ValidateCustom(code, uint64(step), text, codeOptions) //nolint:gosec // steps are after 1970
		if err == nil && ok && step > last {
			return step, true
		}
	}
	return 0, false
}

func (e *Extension) useStep(ctx context.Context, user *User, factor *SecondFactor, code string) (bool, error) {
	secret, err := e.open(user, factor)
	if err != nil {
		return false, err
	}
	step, ok := e.stepOf(secret, code, factor.LastStep)
	if !ok {
		return false, nil
	}
	// Of two requests with the same code one is first. Sealing anew moves the secret
	// to the present key.
	p := SecondFactors.Fields()
	n, err := SecondFactors.Where(orm.Eq(&p.User.ID, user.ID), orm.Lt(&p.LastStep, step)).
		Update(ctx, orm.Set(&p.LastStep, step), orm.Set(&p.Secret, e.seal(user, secret)))
	return n == 1, err
}

func (e *Extension) useRecoveryCode(ctx context.Context, user *User, plain string) (bool, error) {
	p := RecoveryCodes.Fields()
	n, err := RecoveryCodes.Where(orm.Eq(&p.User.ID, user.ID), orm.Eq(&p.Hash, recoveryHash(user, plain)), orm.IsNull(&p.Used)).
		Update(ctx, orm.Set(&p.Used, new(time.Now().UTC().Truncate(time.Microsecond))))
	if err == nil && n == 1 {
		e.tell(ctx, RecoveryCodeUsed, user, "")
	}
	return n == 1, err
}

// seal hides a secret; whose it is stands in it, so that a row of another user's is
// worth nothing.
func (e *Extension) seal(user *User, secret string) string {
	return e.app.Keys().Seal(secretPurpose, []byte(user.key()+"\x00"+secret))
}

func (e *Extension) open(user *User, factor *SecondFactor) (string, error) {
	b, err := e.app.Keys().Open(secretPurpose, factor.Secret, signing.Forever)
	if err != nil {
		return "", fmt.Errorf("auth: the second factor of user %d cannot be read; if a secret key was dropped, put it back behind the present one, or run removesecondfactor: %w", user.ID, err)
	}
	key, secret, _ := strings.Cut(string(b), "\x00")
	if key != user.key() {
		return "", fmt.Errorf("auth: the second factor of user %d is another user's", user.ID)
	}
	return secret, nil
}

// mark is what a session remembers of the factor that it gave a code of.
func (f *SecondFactor) mark() string { return strconv.FormatInt(f.Created.UnixMicro(), 10) }
