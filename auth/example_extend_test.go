package auth_test

import (
	"fmt"

	"github.com/retort-web/retort/auth"
)

// Guest is what a site would make of its users, by
//
//	var Guests = orm.Extend[Guest](auth.Users)
type Guest struct {
	auth.User
	Phone string `orm:"size=40,blank,default="`
}

// A struct that embeds User is an account, and its part goes wherever a User is wanted.
func ExampleAccount() {
	guest := &Guest{User: auth.User{Email: "ann@example.com", Name: "Ann"}, Phone: "112"}
	var account auth.Account = guest
	fmt.Println(account.AuthUser(), account.AuthUser() == &guest.User)
	// Output: Ann true
}
