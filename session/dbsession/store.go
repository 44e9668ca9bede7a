package dbsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
)

// Session is a row of the table of sessions.
type Session struct {
	orm.Model
	Key      string `orm:"size=64,unique"` // see session.Key: not what is in the cookie
	UserID   string `orm:"size=255"`       // empty for visitors nobody has logged in
	Data     []byte // see session.Session.Encode
	Revision int64  // one more each time the row is written
	LastSeen time.Time
	Expires  time.Time `orm:"index"`
}

// Meta names the table.
func (Session) Meta(s *Session) orm.Meta {
	return orm.Meta{
		Table:   "retort_sessions",
		Comment: "the sessions of the site's visitors",
		Indexes: orm.Indexes(orm.Index(&s.UserID, &s.LastSeen)),
	}
}

// Sessions are the rows of the table. Write to them through package session only.
var Sessions = orm.Register[Session]()

// tokenSize is the length of an ID; no other token is worth a query.
var tokenSize = len(session.New().ID())

// NewStore returns a store of sessions in the database of the contexts that it is
// given; named is one of several, see [orm.Using], or "".
func NewStore(named string) session.ServerStore { return store{named} }

type store struct{ named string }

// using returns a context for the store's database. What is written counts
// whatever becomes of a transaction that the request has open.
func (s store) using(ctx context.Context) context.Context {
	if s.named != "" {
		ctx = orm.Using(ctx, s.named)
	}
	return ctx
}

func (s store) Load(ctx context.Context, token string) (*session.Session, error) {
	if len(token) != tokenSize {
		return session.New(), nil
	}
	p := Sessions.Fields()
	row, err := Sessions.Where(orm.Eq(&p.Key, session.Key(token)), orm.Gt(&p.Expires, time.Now())).Get(s.using(ctx))
	if errors.Is(err, orm.ErrNotFound) {
		return session.New(), nil
	}
	if err != nil {
		return nil, err
	}
	found, err := session.Restore(token, row.Data)
	if err != nil {
		return session.New(), nil // written by another version of the program
	}
	return found, nil
}

func (s store) Replaced(ctx context.Context, id string) (bool, error) {
	if len(id) != tokenSize {
		return false, nil
	}
	return session.WasReplaced(ctx, s, id)
}

// maxAttempts bounds how often a save begins again because other requests of the
// same visitor were faster. One of them succeeds each time.
const maxAttempts = 50

func (s store) Save(ctx context.Context, visit *session.Session) (string, error) {
	ctx = orm.Outside(s.using(ctx))
	if visit.StoredID() == "" {
		return s.create(ctx, visit)
	}
	p := Sessions.Fields()
	old := session.Key(visit.StoredID())
	for range maxAttempts {
		row := rowOf(visit)
		n, err := Sessions.Where(orm.Eq(&p.Key, old), orm.Eq(&p.Revision, visit.Revision())).Update(ctx,
			orm.Set(&p.Key, row.Key), orm.Set(&p.UserID, row.UserID), orm.Set(&p.Data, row.Data),
			orm.Set(&p.Revision, row.Revision), orm.Set(&p.LastSeen, row.LastSeen), orm.Set(&p.Expires, row.Expires))
		if err != nil {
			return "", err
		}
		if n > 0 {
			session.NoteReplaced(ctx, s, visit)
			return visit.ID(), nil
		}
		now, err := Sessions.Where(orm.Eq(&p.Key, old)).Get(ctx)
		switch {
		case errors.Is(err, orm.ErrNotFound) && visit.BeganAnew():
			return s.create(ctx, visit)
		case errors.Is(err, orm.ErrNotFound):
			return "", session.ErrGone
		case err != nil:
			return "", err
		}
		if err := visit.Merge(now.Data); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("dbsession: the session was changed by others %d times while it was saved", maxAttempts)
}

func (s store) create(ctx context.Context, visit *session.Session) (string, error) {
	if err := Sessions.Insert(ctx, rowOf(visit)); err != nil {
		return "", err
	}
	return visit.ID(), nil
}

func rowOf(s *session.Session) *Session {
	return &Session{
		Key: session.Key(s.ID()), UserID: s.User(), Data: s.Encode(), Revision: s.Revision() + 1,
		LastSeen: time.Now(), Expires: s.Expires(),
	}
}

func (s store) Delete(ctx context.Context, visit *session.Session) error {
	p := Sessions.Fields()
	_, err := Sessions.Where(orm.Eq(&p.Key, session.Key(visit.StoredID()))).Delete(orm.Outside(s.using(ctx)))
	return err
}

func (s store) List(ctx context.Context, user string) ([]session.Info, error) {
	p := Sessions.Fields()
	rows, err := Sessions.Where(orm.Eq(&p.UserID, user), orm.Gt(&p.Expires, time.Now())).
		OrderBy(orm.Desc(&p.LastSeen), orm.Desc(&p.ID)).Limit(session.MaxListed).All(s.using(ctx))
	if err != nil {
		return nil, err
	}
	var list []session.Info
	for _, row := range rows {
		if info, err := session.DescribeStored(row.Key, row.Data); err == nil {
			list = append(list, info)
		}
	}
	return list, nil
}

// End takes part in the transaction of ctx, as does EndAll: if a change of the
// password is undone, so is the end of the sessions.
func (s store) End(ctx context.Context, user, key string) (int, error) {
	p := Sessions.Fields()
	n, err := Sessions.Where(orm.Eq(&p.UserID, user), orm.Eq(&p.Key, key)).Delete(s.using(ctx))
	return int(n), err
}

func (s store) EndAll(ctx context.Context, user, keep string) (int, error) {
	p := Sessions.Fields()
	n, err := Sessions.Where(orm.Eq(&p.UserID, user), orm.Ne(&p.Key, keep)).Delete(s.using(ctx))
	return int(n), err
}

func (s store) DeleteExpired(ctx context.Context, limit int) (int, error) {
	ctx = s.using(ctx)
	p := Sessions.Fields()
	expired := orm.Lt(&p.Expires, time.Now())
	ids, err := orm.Pluck(ctx, Sessions.Where(expired).OrderBy(orm.Asc(&p.Expires)).Limit(limit), &p.ID)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	// One that was used meanwhile lives on.
	n, err := Sessions.Where(orm.In(&p.ID, ids...), expired).Delete(ctx)
	return int(n), err
}

var _ session.ServerStore = store{}
