package auth

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

func (e *Extension) createSuperuserCommand() retort.Command {
	var email, name string
	var noInput bool
	more := map[*orm.FieldInfo]*string{}
	return retort.Command{
		Name: "createsuperuser", Short: "make a user who may do everything",
		Long: "Makes a user who may do everything. What is not given by flags is asked for. The password\n" +
			"is never a flag, which other users of the machine could read: without a terminal it comes\n" +
			"from the variable SUPERUSER_PASSWORD, or from the standard input. Fields that the site adds to\n" +
			"its users have flags and variables too, and are asked for if they are required.",
		Examples: "app createsuperuser\napp createsuperuser --email ann@example.com",
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&email, "email", os.Getenv("SUPERUSER_EMAIL"), "`address` to log in with; default $SUPERUSER_EMAIL")
			fs.StringVar(&name, "name", "", "`name` for people")
			for _, f := range siteFields() {
				flag := strings.ReplaceAll(f.Snake, "_", "-")
				if fs.Lookup(flag) == nil {
					variable := "SUPERUSER_" + strings.ToUpper(f.Snake)
					more[f] = fs.String(flag, os.Getenv(variable), "the user's "+strings.ToLower(f.Label)+"; default $"+variable)
				}
			}
			fs.BoolVar(&noInput, "no-input", false, "ask nothing; without SUPERUSER_PASSWORD the user has no password")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			p := newPrompt(in)
			if email == "" {
				if noInput {
					return errors.New("auth: --email is missing")
				}
				var err error
				if email, err = p.line("E-mail address: "); err != nil {
					return err
				}
			}
			row := newUser()
			user := row.AuthUser()
			user.Email, user.Name = email, name
			user.Staff, user.Superuser = true, true
			if err := fillSiteFields(ctx, p, row, more, noInput); err != nil {
				return err
			}
			secret := os.Getenv("SUPERUSER_PASSWORD")
			if secret == "" && !noInput {
				var err error
				if secret, err = p.newPassword(func(s string) error { return e.CheckPassword(user, "password", s) }); err != nil {
					return err
				}
			} else if secret != "" {
				if err := e.CheckPassword(user, "password", secret); err != nil {
					return err
				}
			}
			if err := e.Create(ctx, row, secret); err != nil {
				return err
			}
			_, err := fmt.Fprintln(in.Out, "superuser", user.Email, "was made")
			return err
		},
	}
}

func (e *Extension) changePasswordCommand() retort.Command {
	var none bool
	return retort.Command{
		Name: "changepassword", Args: "EMAIL", Short: "give a user another password",
		Long:     "Gives a user another password, which ends their sessions. Without a terminal it is read from\nthe standard input.",
		Examples: "app changepassword ann@example.com\napp changepassword --none robot@example.com",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&none, "none", false, "take the password away: nobody logs in with one, and a new one can be asked for by mail")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if len(in.Args) != 1 {
				return errors.New("auth: whose? changepassword ann@example.com")
			}
			user, err := e.named(ctx, in.Args[0])
			if err != nil {
				return err
			}
			secret := ""
			if !none {
				if secret, err = newPrompt(in).newPassword(func(s string) error { return e.CheckPassword(user, "password", s) }); err != nil {
					return err
				}
			}
			if err := e.SetPassword(ctx, user, secret); err != nil {
				return err
			}
			e.tell(ctx, PasswordChanged, user, "")
			_, err = fmt.Fprintln(in.Out, "the password of", user.Email, "was changed")
			return err
		},
	}
}

func (e *Extension) removeSecondFactorCommand() retort.Command {
	return retort.Command{
		Name: "removesecondfactor", Args: "EMAIL", Short: "let a user log in without a second factor",
		Long: "Takes the second factor from a user who has lost the authenticator app, or gets no codes any\n" +
			"more, and the recovery codes. Make sure that it is this user who asks: whoever knows the password can log in then.",
		Examples: "app removesecondfactor ann@example.com",
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if len(in.Args) != 1 {
				return errors.New("auth: whose? removesecondfactor ann@example.com")
			}
			user, err := e.named(ctx, in.Args[0])
			if err != nil {
				return err
			}
			has, err := HasSecondFactor(ctx, user)
			if err != nil {
				return err
			}
			if !has {
				return fmt.Errorf("auth: %s has no second factor", user.Email)
			}
			if err := e.RemoveSecondFactor(ctx, user); err != nil {
				return err
			}
			_, err = fmt.Fprintln(in.Out, user.Email, "has no second factor any more")
			return err
		},
	}
}

// named returns the user that a person at the command line means.
func (e *Extension) named(ctx context.Context, login string) (*User, error) {
	user, err := Find(ctx, login)
	if errors.Is(err, orm.ErrNotFound) {
		user, err = e.FindLogin(ctx, login)
	}
	if errors.Is(err, orm.ErrNotFound) {
		return nil, fmt.Errorf("auth: there is no user %s", login)
	}
	return user, err
}

// newUser returns a new row of the users, as the site has them.
func newUser() Account {
	row := allUsers().rows.Info().New()
	userOf(row)
	return row.(Account)
}

// siteFields are the fields that a site adds to its users and that people fill in.
func siteFields() (fields []*orm.FieldInfo) {
	x := Users.Info().Extension()
	if x == nil {
		return nil
	}
	for _, f := range x.Fields {
		if f.Inherits() == nil && f.Editable && !f.Computed && f.Column != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// fillSiteFields takes the fields that the site adds from flags, and asks for those that
// are required.
func fillSiteFields(ctx context.Context, p *prompt, row Account, given map[*orm.FieldInfo]*string, noInput bool) (err error) {
	fields := siteFields()
	for _, f := range fields {
		text := ""
		if flag := given[f]; flag != nil {
			text = *flag
		}
		if required := !f.Blank && !f.HasDefault && !f.DBDefault; text == "" && required {
			if noInput {
				return fmt.Errorf("auth: --%s is missing", strings.ReplaceAll(f.Snake, "_", "-"))
			}
			if text, err = p.line(f.Label + ": "); err != nil {
				return err
			}
		}
		if text == "" {
			continue
		}
		if err := f.Set(row, text); err != nil {
			return err
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return allUsers().rows.Validate(ctx, row, fields...)
}

// prompt asks at a terminal, or reads lines where there is none.
type prompt struct {
	in       *bufio.Reader
	out      io.Writer
	terminal int // file descriptor, or -1
}

func newPrompt(in *retort.Invocation) *prompt {
	p := &prompt{in: bufio.NewReader(in.In), out: in.Err, terminal: -1}
	if f, ok := in.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a descriptor is small
		p.terminal = int(f.Fd()) //nolint:gosec // as above
	}
	return p
}

func (p *prompt) line(question string) (string, error) {
	if p.terminal >= 0 {
		_, _ = fmt.Fprint(p.out, question)
	}
	text, err := p.in.ReadString('\n')
	if text = strings.TrimRight(text, "\r\n"); text == "" && err != nil {
		return "", errors.New("auth: nothing was given for " + strings.TrimSuffix(question, ": "))
	}
	return text, nil
}

func (p *prompt) secret(question string) (string, error) {
	if p.terminal < 0 {
		return p.line(question)
	}
	_, _ = fmt.Fprint(p.out, question)
	b, err := term.ReadPassword(p.terminal)
	_, _ = fmt.Fprintln(p.out)
	return string(b), err
}

// maxTries is how often a password is asked for at a terminal.
const maxTries = 3

// newPassword asks for a password, twice at a terminal, until it is good.
func (p *prompt) newPassword(check func(string) error) (string, error) {
	for try := 1; ; try++ {
		secret, err := p.secret("Password: ")
		if err != nil {
			return "", err
		}
		err = check(secret)
		if err == nil && p.terminal >= 0 {
			again, readErr := p.secret("Password again: ")
			if readErr != nil {
				return "", readErr
			}
			if again != secret {
				err = errors.New("the two passwords are not the same")
			}
		}
		if err == nil {
			return secret, nil
		}
		if p.terminal < 0 || try == maxTries {
			return "", err
		}
		_, _ = fmt.Fprintln(p.out, err)
	}
}
