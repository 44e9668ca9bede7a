// Package schema is ent's view of the shared tables.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

func table(name string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: name}}
}

type World struct{ ent.Schema }

func (World) Annotations() []schema.Annotation { return table("world") }
func (World) Fields() []ent.Field {
	return []ent.Field{field.Int32("id"), field.Int32("randomnumber")}
}

type Fortune struct{ ent.Schema }

func (Fortune) Annotations() []schema.Annotation { return table("fortune") }
func (Fortune) Fields() []ent.Field {
	return []ent.Field{field.Int32("id"), field.String("message")}
}

type Author struct{ ent.Schema }

func (Author) Annotations() []schema.Annotation { return table("author") }
func (Author) Fields() []ent.Field {
	return []ent.Field{field.Int32("id"), field.String("name"), field.String("email")}
}
func (Author) Edges() []ent.Edge { return []ent.Edge{edge.To("posts", Post.Type)} }

type Tag struct{ ent.Schema }

func (Tag) Annotations() []schema.Annotation { return table("tag") }
func (Tag) Fields() []ent.Field {
	return []ent.Field{field.Int32("id"), field.String("name"), field.String("slug")}
}
func (Tag) Edges() []ent.Edge { return []ent.Edge{edge.From("posts", Post.Type).Ref("tags")} }

type Post struct{ ent.Schema }

func (Post) Annotations() []schema.Annotation { return table("post") }
func (Post) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("id"), field.Int32("author_id"), field.String("title"), field.String("slug"),
		field.String("excerpt"), field.String("status"), field.Time("published_at"),
	}
}

func (Post) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("author", Author.Type).Ref("posts").Unique().Required().Field("author_id"),
		edge.To("tags", Tag.Type).StorageKey(edge.Table("post_tag"), edge.Columns("post_id", "tag_id")),
	}
}

type Comment struct{ ent.Schema }

func (Comment) Annotations() []schema.Annotation { return table("comment") }
func (Comment) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("id"), field.Int32("post_id"), field.String("name"), field.String("email"),
		field.String("body"), field.Time("created_at").Default(time.Now),
	}
}
