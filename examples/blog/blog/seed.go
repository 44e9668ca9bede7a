package blog

import (
	"context"
	cryptorand "crypto/rand"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// seedDrafts is how many of the invented posts are not published.
const seedDrafts = 6

// seed fills an empty database with invented posts of the last two years, so that
// the first start has something to show. The same posts come out each time; only
// their dates follow the calendar.
func seed(ctx context.Context, log *slog.Logger) error {
	return orm.Atomic(ctx, func(ctx context.Context) error {
		if some, err := Authors.Exists(ctx); err != nil || some {
			return err
		}
		authors := make([]*Author, len(seedAuthors))
		for i, a := range seedAuthors {
			authors[i] = &Author{Name: a.name, Slug: slugify(a.name), Bio: a.bio}
		}
		user, err := seedUser(ctx, log, authors[0].Name)
		if err != nil {
			return err
		}
		authors[0].User.Set(user)
		if err := Authors.Insert(ctx, authors...); err != nil {
			return err
		}
		tags := map[string]*Tag{}
		var allTags []*Tag
		for _, t := range seedThemes {
			for _, name := range slices.Concat(t.tags, seedCommonTags) {
				if tags[name] == nil {
					tags[name] = &Tag{Name: name, Slug: slugify(name)}
					allTags = append(allTags, tags[name])
				}
			}
		}
		if err := Tags.Insert(ctx, allTags...); err != nil {
			return err
		}
		drafts := inventPosts(rand.New(rand.NewPCG(1839, 1871)), time.Now().UTC())
		posts := make([]*Post, len(drafts))
		for i, d := range drafts {
			d.post.Author.Set(authors[d.author])
			posts[i] = d.post
		}
		if err := Posts.Insert(ctx, posts...); err != nil {
			return err
		}
		var comments []*Comment
		for _, d := range drafts {
			var own []*Tag
			for _, name := range d.tags {
				own = append(own, tags[name])
			}
			if err := d.post.Tags.Add(ctx, own...); err != nil {
				return err
			}
			for _, c := range d.comments {
				c.Post.Set(d.post)
				comments = append(comments, c)
			}
		}
		return Comments.Insert(ctx, comments...)
	})
}

// DemoUser is the address of the user that the first start makes: the first author.
const DemoUser = "demo@blog.example"

// seedUser makes the demo user. The password is that of the variable
// BLOG_DEMO_PASSWORD, or else chosen by chance and shown once, in the log.
func seedUser(ctx context.Context, log *slog.Logger, name string) (*auth.User, error) {
	accounts, err := auth.Of(ctx)
	if err != nil {
		return nil, err
	}
	password := os.Getenv("BLOG_DEMO_PASSWORD")
	chosen := password == ""
	if chosen {
		password = strings.ToLower(cryptorand.Text()[:16])
	}
	user := &auth.User{Email: DemoUser, Name: name, Active: true, Verified: new(time.Now().UTC().Truncate(time.Second))}
	if err := accounts.Create(ctx, user, password); err != nil {
		return nil, err
	}
	if chosen {
		orm.OnCommit(ctx, func(context.Context) {
			log.Info("the demo user was made: note the password, it is not shown again", "email", DemoUser, "password", password)
		})
	}
	return user, nil
}

// invented is a post before it is written to the database.
type invented struct {
	post     *Post
	author   int // index of seedAuthors
	tags     []string
	comments []*Comment
}

// inventPosts writes one post for each subject and title of each theme, and
// spreads them over the two years before now.
func inventPosts(r *rand.Rand, now time.Time) []invented {
	var all []invented
	for _, t := range seedThemes {
		for _, subject := range t.subjects {
			for _, title := range t.titles {
				all = append(all, t.invent(r, subject, title))
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	const span = 2 * 365 * 24 * time.Hour
	step := span / time.Duration(len(all))
	morning := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	for i := range all {
		post := all[i].post
		if i < seedDrafts {
			all[i].comments = nil
			continue
		}
		day := morning.Add(-time.Duration(i-seedDrafts) * step).Truncate(24 * time.Hour)
		at := day.AddDate(0, 0, -1).Add(time.Duration(6*60+r.IntN(14*60)) * time.Minute)
		post.Status, post.Published = Live, &at
		for _, c := range all[i].comments {
			c.Created = at.Add(now.Sub(at) * time.Duration(1+r.IntN(30)) / 1000)
		}
	}
	return all
}

// invent writes one post.
func (t *theme) invent(r *rand.Rand, subject, title string) invented {
	place := pick(r, t.places)
	fill := func(text string) string {
		return strings.NewReplacer(
			"{s}", subject, "{S}", capital(subject), "{place}", place,
			"{n}", pick(r, seedNumbers), "{day}", pick(r, seedDays),
		).Replace(text)
	}
	title = fill(title)
	paragraphs := []string{fill(pick(r, t.openings))}
	for _, i := range r.Perm(len(t.middles))[:3+r.IntN(3)] {
		paragraphs = append(paragraphs, fill(t.middles[i]))
	}
	paragraphs = append(paragraphs, fill(pick(r, t.closings)))
	inv := invented{
		post: &Post{
			Title: title, Slug: slugify(title), Summary: fill(pick(r, t.summaries)),
			Body: strings.Join(paragraphs, "\n\n"), Status: Draft,
		},
		author: t.authors[r.IntN(len(t.authors))],
	}
	for _, i := range r.Perm(len(t.tags))[:1+r.IntN(2)] {
		inv.tags = append(inv.tags, t.tags[i])
	}
	if r.IntN(3) == 0 {
		inv.tags = append(inv.tags, pick(r, seedCommonTags))
	}
	for _, i := range r.Perm(len(seedComments))[:r.IntN(5)] {
		inv.comments = append(inv.comments, &Comment{Name: pick(r, seedReaders), Text: fill(seedComments[i])})
	}
	return inv
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// slugify makes a title fit for an address: "Soda bread, again" becomes
// "soda-bread-again". Letters that it does not know are left out.
func slugify(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case r == '\'' || r == '’':
		default:
			if plain, ok := plainLetters[r]; ok {
				if gap && b.Len() > 0 {
					b.WriteByte('-')
				}
				gap = false
				b.WriteString(plain)
				continue
			}
			gap = true
		}
	}
	return b.String()
}

// plainLetters are common letters with marks and what stands for them.
var plainLetters = map[rune]string{
	'à': "a", 'á': "a", 'â': "a", 'ã': "a", 'ä': "ae", 'å': "a", 'æ': "ae", 'ç': "c", 'è': "e", 'é': "e", 'ê': "e", 'ë': "e",
	'ì': "i", 'í': "i", 'î': "i", 'ï': "i", 'ñ': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'õ': "o", 'ö': "oe", 'ø': "o", 'ù': "u",
	'ú': "u", 'û': "u", 'ü': "ue", 'ý': "y", 'ÿ': "y", 'ß': "ss", 'ł': "l", 'š': "s", 'ž': "z", 'č': "c", 'ř': "r",
}
