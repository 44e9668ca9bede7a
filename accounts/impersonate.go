package accounts

import (
	"strconv"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// impersonate lets the superuser act as the user of the address.
func (e *Extension) impersonate(c *retort.Ctx) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return retort.NotFound("")
	}
	p := auth.Users.Fields()
	user, err := auth.Users.Where(orm.Eq(&p.ID, id)).Get(c)
	if err != nil {
		return err // 404 if there is none
	}
	if err := e.auth.Impersonate(c, user); err != nil {
		return err
	}
	return e.goTo(c, e.options.AfterLogin)
}

func (e *Extension) endImpersonation(c *retort.Ctx) error {
	if err := e.auth.EndImpersonation(c); err != nil {
		return err
	}
	return e.goTo(c, e.options.AfterLogin)
}
