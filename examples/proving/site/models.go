package site

import (
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Post is public, unless it is not published.
type Post struct {
	orm.Model
	Title     string            `orm:"size=120"`
	Body      string            `orm:"text"`
	Author    orm.FK[auth.User] `orm:"on_delete=cascade"`
	Published bool              `orm:"default=true"`
	Data      map[string]any    `orm:"json,null"`
	Created   time.Time         `orm:"index"`
	Comments  orm.HasMany[Comment]
}

func (p *Post) String() string { return p.Title }

// Comment is by anyone.
type Comment struct {
	orm.Model
	Post    orm.FK[Post] `orm:"on_delete=cascade"`
	Name    string       `orm:"size=60" autocomplete:"name"`
	URL     string       `orm:"size=200,blank" validate:"url" label:"Your site"`
	Text    string       `orm:"text" validate:"max=5000"`
	Created time.Time    `orm:"auto_now_add"`
}

// Note is its owner's alone.
type Note struct {
	orm.Model
	Owner   orm.FK[auth.User] `orm:"on_delete=cascade"`
	Title   string            `orm:"size=120"`
	Text    string            `orm:"text,blank"`
	Created time.Time         `orm:"auto_now_add"`
}

func (n *Note) String() string { return n.Title }

// Upload is a file of its owner's.
type Upload struct {
	orm.Model
	Owner   orm.FK[auth.User] `orm:"on_delete=cascade"`
	Name    string            `orm:"size=120"`       // that the visitor gave, made harmless
	Kept    string            `orm:"size=64,unique"` // the name on the disk
	Type    string            `orm:"size=80"`
	Size    int64
	Created time.Time `orm:"auto_now_add"`
}

// The queries from which all others start.
var (
	Posts    = orm.Register[Post]()
	Comments = orm.Register[Comment]()
	Notes    = orm.Register[Note]()
	Uploads  = orm.Register[Upload]()
)

// Who may do what with which rows; handlers ask for nothing else.
func init() {
	auth.SetPolicy(Posts, func(user *auth.User, action auth.Action, p *Post) orm.Cond {
		if action == auth.View {
			if user != nil && user.Staff {
				return orm.And()
			}
			return orm.Eq(&p.Published, true)
		}
		return orm.Cond{} // by the permissions of the staff
	})
	auth.SetPolicy(Notes, func(user *auth.User, _ auth.Action, n *Note) orm.Cond {
		if user == nil {
			return orm.Or()
		}
		return orm.Eq(&n.Owner.ID, user.ID)
	})
	auth.SetPolicy(Uploads, func(user *auth.User, _ auth.Action, u *Upload) orm.Cond {
		if user == nil {
			return orm.Or()
		}
		return orm.Eq(&u.Owner.ID, user.ID)
	})
}
