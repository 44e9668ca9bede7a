package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/retort-web/retort/orm"
)

// COPY does what INSERT does, with the same constraints and triggers, but that it knows no
// rules and no row security, and returns nothing: so it is for tables without those and, where
// the keys are made beforehand, without a trigger that could change them. That is asked each time, of
// the catalog's caches, since others may change the table while the program runs. The types
// are those that values are sent in: that below a domain, and text for an enum.
const (
	copyHead = "SELECT CASE WHEN n = 1 THEN v.types END, "
	copyFrom = ` FROM pg_class AS c
CROSS JOIN LATERAL (
	SELECT string_agg(u.type::text, ',' ORDER BY u.place) AS types, bool_and(u.type = ANY (%s)) AS known FROM (
		SELECT CASE t.typtype WHEN 'd' THEN t.typbasetype WHEN 'e' THEN 25 ELSE t.oid END AS type, w.place
		FROM unnest($2::text[]) WITH ORDINALITY AS w (name, place)
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name
		LEFT JOIN pg_type AS t ON t.oid = a.atttypid) AS u) AS v`
	copyWhere = ` CROSS JOIN generate_series(1, $3::bigint) AS n
WHERE c.oid = $1::text::regclass AND c.relkind = 'r' AND NOT c.relhasrules AND NOT row_security_active(c.oid) AND v.known`
	// The key is an identity, or its default is the next value of the sequence that belongs
	// to it, which who inserts may ask for.
	copyKey = ` JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attname = $4::text
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = k.attnum
CROSS JOIN pg_get_serial_sequence($1::text, $4::text) AS s`
	copyMade = ` AND s IS NOT NULL AND has_sequence_privilege(s, 'USAGE') AND has_column_privilege(c.oid, k.attnum, 'INSERT')
AND (k.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) = 'nextval(' || quote_literal(s::regclass::text) || '::regclass)')
AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 7 = 7)`
)

// The first of the queries makes keys.
var (
	copyKeys = copyHead + "nextval(s::regclass)" + knownTypes() + copyKey + copyWhere + copyMade
	copyOnly = copyHead + "0::bigint" + knownTypes() + copyWhere
)

func knownTypes() string {
	oids := make([]string, len(copied))
	for i, oid := range copied {
		oids[i] = strconv.FormatUint(uint64(oid), 10)
	}
	return fmt.Sprintf(copyFrom, "'{"+strings.Join(oids, ",")+"}'::oid[]")
}

// CopyQuery asks whether rows can be copied into a table, and for their keys.
func (dialect) CopyQuery(makeKeys bool) string {
	if makeKeys {
		return copyKeys
	}
	return copyOnly
}

// CopyText is the statement of
// https://www.postgresql.org/docs/current/sql-copy.html.
func (d dialect) CopyText(table string, columns []string) string {
	b := append(d.Quote([]byte("COPY "), table), " ("...)
	for i, column := range columns {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = d.Quote(b, column)
	}
	return string(append(b, ") FROM STDIN (FORMAT binary)"...))
}

const (
	// copySize is how many bytes are gathered before they are sent.
	copySize = 256 << 10
	// copyHeader begins the data: a signature, flags, and the length of what follows them.
	copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	// copyTrailer ends it: a count of columns that no row has.
	copyTrailer = "\xff\xff"
)

// CopyRows inserts rows by COPY.
func (t *tx) CopyRows(ctx context.Context, s orm.Statement, types string, n int, values func(row int, to orm.ValueWriter) error) (int64, error) {
	if t.busy {
		return 0, errBusy
	}
	w := copyWriters.Get().(*copyWriter)
	defer w.done()
	for text := range strings.SplitSeq(types, ",") {
		oid, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("postgres: %q are no types of columns to copy", types)
		}
		w.types = append(w.types, uint32(oid))
	}
	done := int64(0)
	send := func() error {
		w.buf = append(w.buf, copyTrailer...)
		tag, err := t.conn.raw.CopyFrom(ctx, &wholeReader{w.buf}, s.SQL)
		done += tag.RowsAffected()
		w.buf = w.buf[:0]
		return err
	}
	for i := range n {
		if len(w.buf) == 0 {
			w.buf = append(w.buf, copyHeader...)
		}
		start := len(w.buf)
		w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(len(w.types)))
		w.column = 0
		if err := values(i, w); err != nil {
			return done, err
		}
		if w.unknown || w.column != len(w.types) {
			w.buf = w.buf[:start]
			break
		}
		if len(w.buf) >= copySize {
			if err := send(); err != nil {
				return done, err
			}
		}
	}
	if len(w.buf) > len(copyHeader) {
		return done, send()
	}
	return done, nil
}

// wholeReader hands out what it has at once, as far as there is room. Unlike a bytes.Reader it
// says with the last bytes that they are the last.
type wholeReader struct{ rest []byte }

func (r *wholeReader) Read(b []byte) (int, error) {
	n := copy(b, r.rest)
	if r.rest = r.rest[n:]; len(r.rest) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// copied are the types whose binary form is known to copyWriter.
var copied = []uint32{
	pgtype.BoolOID, pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float8OID, pgtype.ByteaOID, pgtype.UUIDOID,
	pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.JSONBOID,
	pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID, pgtype.NumericOID,
}

// copyWriters are free for the next COPY: each has memory for what is sent at once.
var copyWriters = sync.Pool{New: func() any { return new(copyWriter) }}

func (w *copyWriter) done() {
	if cap(w.buf) <= 2*copySize {
		*w = copyWriter{buf: w.buf[:0], types: w.types[:0]}
		copyWriters.Put(w)
	}
}

// copyWriter writes values in the binary form of their columns.
type copyWriter struct {
	buf     []byte
	types   []uint32
	column  int
	unknown bool // a value does not become one of its column by itself
}

// next is the type of the next column.
func (w *copyWriter) next() uint32 {
	if w.column >= len(w.types) {
		w.unknown = true
		return 0
	}
	w.column++
	return w.types[w.column-1]
}

// maxValue is the longest value that the server takes, in bytes. A length is 32 bits: one that
// does not fit would make the rest of the value columns and rows of its own.
const maxValue = 1 << 30

// fits reports whether a value of n bytes can be sent.
func (w *copyWriter) fits(n int) bool {
	if n > maxValue {
		w.unknown = true
	}
	return n <= maxValue
}

func (w *copyWriter) length(n int) { w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(int32(n))) }

func (w *copyWriter) Null() {
	w.next()
	w.length(-1)
}

func (w *copyWriter) Bool(v bool) {
	if w.next() != pgtype.BoolOID {
		w.unknown = true
		return
	}
	w.length(1)
	bit := byte(0)
	if v {
		bit = 1
	}
	w.buf = append(w.buf, bit)
}

func (w *copyWriter) Int64(v int64) {
	switch oid := w.next(); {
	case oid == pgtype.Int8OID:
		w.length(8)
		w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(v))
	case oid == pgtype.Int4OID && int64(int32(v)) == v:
		w.length(4)
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(v))
	case oid == pgtype.Int2OID && int64(int16(v)) == v:
		w.length(2)
		w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(v))
	case oid == pgtype.Float8OID:
		w.length(8)
		w.buf = binary.BigEndian.AppendUint64(w.buf, math.Float64bits(float64(v)))
	case oid == pgtype.NumericOID:
		w.numeric(strconv.FormatInt(v, 10))
	default:
		w.unknown = true
	}
}

func (w *copyWriter) Float64(v float64) {
	if w.next() != pgtype.Float8OID {
		w.unknown = true
		return
	}
	w.length(8)
	w.buf = binary.BigEndian.AppendUint64(w.buf, math.Float64bits(v))
}

func (w *copyWriter) Text(v string) {
	oid := w.next()
	if !w.fits(len(v)) {
		return
	}
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID:
		w.length(len(v))
		w.buf = append(w.buf, v...)
	case pgtype.JSONBOID:
		w.length(len(v) + 1)
		w.buf = append(append(w.buf, 1), v...) // its version
	case pgtype.UUIDOID:
		var u pgtype.UUID
		if u.Scan(v) != nil {
			w.unknown = true
			return
		}
		w.length(16)
		w.buf = append(w.buf, u.Bytes[:]...)
	case pgtype.DateOID:
		day, err := time.Parse(time.DateOnly, v)
		if err != nil {
			w.unknown = true
			return
		}
		w.length(4)
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(int32(day.Unix()/secondsOfDay-epochDays)))
	case pgtype.NumericOID:
		w.numeric(v)
	default:
		w.unknown = true
	}
}

func (w *copyWriter) numeric(v string) {
	var n pgtype.Numeric
	plan := pgtype.NumericCodec{}.PlanEncode(nil, pgtype.NumericOID, pgtype.BinaryFormatCode, n)
	if n.Scan(v) != nil || plan == nil {
		w.unknown = true
		return
	}
	at := len(w.buf)
	w.length(0)
	buf, err := plan.Encode(n, w.buf)
	if err != nil || buf == nil {
		w.unknown = true
		return
	}
	w.buf = buf
	binary.BigEndian.PutUint32(w.buf[at:], uint32(len(buf)-at-4))
}

func (w *copyWriter) Bytes(v []byte) {
	switch oid := w.next(); {
	case !w.fits(len(v)):
	case oid == pgtype.ByteaOID, oid == pgtype.UUIDOID && len(v) == 16:
		w.length(len(v))
		w.buf = append(w.buf, v...)
	default:
		w.unknown = true
	}
}

func (w *copyWriter) Time(v time.Time) {
	switch w.next() {
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		w.length(8)
		w.buf, _ = appendTime(w.buf, v, pgtype.TimestamptzOID)
	default:
		w.unknown = true
	}
}
