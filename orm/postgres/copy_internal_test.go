package postgres

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"
)

// The class of CVE-2024-27304: a length that does not fit into 32 bits would have the rest of
// the value read as other columns and rows.
func TestCopiedValuesHaveNoLengthThatOverflows(t *testing.T) {
	t.Parallel()
	// The memory is never touched, and so never taken.
	long := make([]byte, maxValue+1)
	for name, write := range map[string]func(w *copyWriter){
		"text":  func(w *copyWriter) { w.Text(unsafe.String(&long[0], len(long))) },
		"bytes": func(w *copyWriter) { w.Bytes(long) },
	} {
		w := &copyWriter{types: []uint32{map[string]uint32{"text": pgtype.TextOID, "bytes": pgtype.ByteaOID}[name]}}
		if write(w); !w.unknown || len(w.buf) != 0 {
			t.Errorf("%s: unknown %t, %d bytes are sent", name, w.unknown, len(w.buf))
		}
	}
	w := &copyWriter{types: []uint32{pgtype.TextOID}}
	if w.Text(strings.Repeat("x", 3)); w.unknown || string(w.buf) != "\x00\x00\x00\x03xxx" {
		t.Errorf("a short text: unknown %t, %q", w.unknown, w.buf)
	}
}
