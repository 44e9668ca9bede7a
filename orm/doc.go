// Package orm maps plain Go structs to database tables, and makes a pointer to
// a field the name of its column.
//
// # Models
//
// A model is a struct that embeds [Model] (or has a field tagged "pk") and is
// registered once, in a package variable:
//
//	type Post struct {
//		orm.Model
//		Title  string `orm:"size=200"`
//		Author orm.FK[User]
//		Tags   orm.ManyToMany[Tag]
//	}
//
//	var Posts = orm.Register[Post]()
//
// [Register] returns a [QuerySet], an immutable value from which every query
// of the model starts. What tags cannot say stands in a Meta method; see
// [Meta].
//
// # Names
//
// Fields returns the model's prototype: a *Post that is never a row. The
// addresses of its fields are the names used in queries, and To steps through
// a relation to the names of the model behind it:
//
//	p := Posts.Fields()
//	posts, err := Posts.
//		Where(orm.Eq(&p.Author.To().Username, "alice")).
//		With(&p.Author, &p.Tags).
//		OrderBy(orm.Desc(&p.Created)).
//		All(ctx)
//
// Names that come from outside the program use [Lookup] and [OrderLookup],
// which check them against the same registry.
//
// # Database and transactions
//
// [Open] connects, [WithDB] puts the connection on a context, and every query
// takes it from there. [Atomic] starts a transaction that travels on the
// context it gives to its function; nested calls are savepoints.
//
// # Errors
//
// Conditions are sentinel errors ([ErrNotFound], [ErrMultiple], [ErrLocked]
// and others) for errors.Is; facts are structs ([*ConstraintError],
// [*NotLoadedError], [*LookupError]) for errors.As. A query that names a field
// of another model, or something that is not a field, keeps that error until
// it runs and then returns it: nothing is ignored.
package orm
