package orm

// PageInfo says where a page stands among the others, for a pager.
type PageInfo struct {
	Number int   // of this page, from 1
	Size   int   // rows on a full page
	Total  int64 // rows on all pages
	Pages  int   // at least 1
}

// Page is one page of a query's rows, a [PageOf] pointers to them.
type Page[T any] = PageOf[*T]

// PageOf has the rows of a [Page] in Items.
type PageOf[P any] struct {
	PageInfo
	Items []P
}

// AnyPage is one page of the rows of an [AnySet].
type AnyPage struct {
	PageInfo
	Items []any
}

// HasPrevious reports whether there is a page before.
func (p PageInfo) HasPrevious() bool { return p.Number > 1 }

// HasNext reports whether there is a page after.
func (p PageInfo) HasNext() bool { return p.Number < p.Pages }

// First is the number of the page's first row, from 1; 0 if there are no rows.
func (p PageInfo) First() int64 {
	if p.Total == 0 {
		return 0
	}
	return int64(p.Number-1)*int64(p.Size) + 1
}

// Last is the number of the page's last row; 0 if there are no rows.
func (p PageInfo) Last() int64 { return min(int64(p.Number)*int64(p.Size), p.Total) }

// newPage finds the page of a number that may come from anywhere.
func newPage(number, size int, total int64) PageInfo {
	pages := int(max(1, (total+int64(size)-1)/int64(size)))
	return PageInfo{Number: min(max(number, 1), pages), Size: size, Total: total, Pages: pages}
}
