package orm

import "unsafe"

// segment is a run of cells that fill one struct.
type segment struct {
	base  unsafe.Pointer
	alloc func() unsafe.Pointer // makes a struct
	slab  slab

	// known are the structs read so far by their integer keys, where a row that comes again
	// is to be one in memory; nil elsewhere. A row that came again leaves base empty and is
	// met.
	known map[int64]unsafe.Pointer
	met   unsafe.Pointer
}

// row is memory for the next row.
func (s *segment) row() unsafe.Pointer {
	if s.slab.next < s.slab.size {
		return s.slab.take()
	}
	if s.slab.wanted > 1 {
		return s.slab.fill()
	}
	return s.alloc()
}

// meet reports that the row with a key is known, and makes it the one met.
func (s *segment) meet(key int64) bool {
	if s.met = s.known[key]; s.met == nil {
		return false
	}
	s.base = nil
	return true
}

// slab is memory for rows that are handed out together, in pieces that grow with the number
// of rows, as a slice of them would. A row that a program keeps keeps its piece.
type slab struct {
	model  *ModelInfo
	wanted int // rows that may yet come, at most; 0 for rows that are made one by one

	piece      unsafe.Pointer
	next, size int // of the piece: rows taken, and rows in it
}

// The rows of the first piece, and of the largest.
const (
	firstPiece = 8
	mostPiece  = 32
)

// take is the next row of a piece that has one.
func (s *slab) take() unsafe.Pointer {
	row := unsafe.Add(s.piece, uintptr(s.next)*s.model.Type.Size())
	s.next++
	return row
}

// fill makes the next piece and is its first row.
func (s *slab) fill() unsafe.Pointer {
	s.size = min(max(firstPiece, 2*s.size), mostPiece, s.wanted)
	s.wanted -= s.size
	s.piece, s.next = s.model.allocMany(s.size), 0
	return s.take()
}

// together lets the structs of rows be made together, of at most so many rows.
func (s *loadSegment) together(most int) {
	s.slab = slab{model: s.model, wanted: most}
	for _, kid := range s.kids {
		kid.together(most)
	}
}
