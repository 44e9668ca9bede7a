package blog

import (
	"net/url"
	"strconv"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// page is one page of posts and the links to the others.
type page struct {
	orm.Page[Post]
	Previous, Next string // addresses, "" if there is none
	Links          []pageLink
}

// pageLink is a number in the row of links; a zero number is a gap.
type pageLink struct {
	Number  int
	URL     string
	Current bool
}

// postsPage fetches the page that the query parameter "page" asks for.
func postsPage(c *retort.Ctx, posts orm.QuerySet[Post]) (*page, error) {
	number, err := retort.Query(c, "page", 1)
	if err != nil {
		return nil, err
	}
	rows, err := listed(posts).Page(c, number, perPage)
	if err != nil {
		return nil, err
	}
	p := &page{Page: rows}
	address := func(n int) string {
		query := url.Values{}
		for name, values := range c.QueryValues() {
			if name != "page" {
				query[name] = values
			}
		}
		if n > 1 {
			query.Set("page", strconv.Itoa(n))
		}
		if len(query) == 0 {
			return c.Path()
		}
		return c.Path() + "?" + query.Encode()
	}
	if rows.HasPrevious() {
		p.Previous = address(rows.Number - 1)
	}
	if rows.HasNext() {
		p.Next = address(rows.Number + 1)
	}
	for _, n := range pageNumbers(rows.Number, rows.Pages) {
		link := pageLink{Number: n, Current: n == rows.Number}
		if n > 0 {
			link.URL = address(n)
		}
		p.Links = append(p.Links, link)
	}
	return p, nil
}

// pageNumbers picks the numbers to show: the first, the last, and those around
// the current one, with 0 for what is left out between them.
func pageNumbers(current, last int) []int {
	const around = 2
	var numbers []int
	for n := 1; n <= last; n++ {
		switch {
		case n == 1 || n == last || n >= current-around && n <= current+around:
			numbers = append(numbers, n)
		case numbers[len(numbers)-1] != 0:
			numbers = append(numbers, 0)
		}
	}
	return numbers
}
