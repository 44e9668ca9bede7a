// Package auth knows who uses the site and what they may do: accounts, logins,
// groups, permissions, and policies for single rows.
//
//	app.Install(
//		db.Open(""),
//		dbsession.New(),
//		mail.New(),
//		auth.New(),
//	)
//
//	app.Get("/profile", profile).Use(auth.RequireLogin)
//
//	func profile(c *retort.Ctx) error {
//		user := auth.Must(c)
//		return c.Render("profile.html", map[string]any{"user": user})
//	}
//
// # Users
//
// A [User] has an e-mail address, which is what they log in with, and letters
// outside of the usual case do not make another user. What else a site keeps of
// its users goes into a struct of its own, as more columns of the same table:
//
//	type Member struct {
//		auth.User
//		Phone string `orm:"size=40,blank,default="`
//	}
//
//	var Members = orm.Extend[Member](auth.Users)
//
// It may be added at any time, also to a table with users. [CurrentAs] has the whole row
// of who has logged in, and templates have its fields: {{ user.phone }}.
//
// # Permissions
//
// A [Permission] is a text such as "blog.change_post". Users have those granted to
// them and to their groups; a superuser has all, and who is not active has none.
//
// A policy says in one function which rows of a model a user may see, change or
// delete: see [SetPolicy]. What a policy does not allow is denied.
package auth
