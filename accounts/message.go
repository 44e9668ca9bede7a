package accounts

// words are what a page of one sentence or two says.
type words struct{ title, text string }

// messages are those pages by their kinds, which scripts and templates know them by.
var messages = map[string]words{
	"signed_up":          {"Look into your mail", "We have sent you a mail. Open the link in it to go on."},
	"link_sent":          {"Look into your mail", "If the address has an account here, a mail with a link is on its way to it."},
	"reset_sent":         {"Look into your mail", "If the address has an account here, a mail with a link is on its way to it."},
	"email_sent":         {"Look into your mail", "Open the link in the mail to your new address. Until then nothing changes."},
	"reset_done":         {"Your password was set", "Log in with it now. All sessions that were open have ended."},
	"email_changed":      {"Your address was changed", "Log in with the new address from now on."},
	"email_taken":        {"The address belongs to another account", "Your own was not changed."},
	"deleted":            {"Your account was deleted", "Everything that belonged to it is gone."},
	"bad_link":           {"This link is not valid any more", "It was used, is too old, or was not copied whole. Ask for a new one."},
	"password_elsewhere": {"Your password is kept elsewhere", "This site asks another directory about it. Change it there."},
}
