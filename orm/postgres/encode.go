package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/retort-web/retort/orm"
)

// arguments are the values of a statement as they are sent. The memory is used
// again for the next statement of the connection.
type arguments struct {
	values  [][]byte
	formats []int16
	buf     []byte
}

// errNUL is the one character that PostgreSQL cannot store.
var errNUL = errors.New("postgres: text with a NUL character cannot be stored; take it out, or use bytes")

// encode encodes values for parameters of the types given. The usual types are sent
// in binary; all else, also where the types are not known, as text, which the server
// reads by the type of the parameter: so a text can be a UUID, and an int a decimal.
func (a *arguments) encode(args []any, types []uint32) error {
	a.values, a.formats, a.buf = a.values[:0], a.formats[:0], a.buf[:0]
	for i, arg := range args {
		var oid uint32
		if types != nil {
			oid = types[i]
		}
		if err := a.add(arg, oid); err != nil {
			return fmt.Errorf("%w (argument %d)", err, i+1)
		}
	}
	return nil
}

// maxKeptBuffer is how much memory is kept for the next statement.
const maxKeptBuffer = 64 << 10

// forget lets go of values that have been sent.
func (a *arguments) forget() {
	clear(a.values)
	if cap(a.buf) > maxKeptBuffer {
		a.buf = nil
	}
}

func (a *arguments) add(arg any, oid uint32) error {
	start := len(a.buf)
	var format int16
	switch v := arg.(type) {
	case nil:
		a.values, a.formats = append(a.values, nil), append(a.formats, textFormat)
		return nil
	case int64:
		a.buf, format = appendInt(a.buf, v, oid)
	case float64:
		a.buf, format = appendFloat(a.buf, v, oid)
	case bool:
		a.buf, format = appendBool(a.buf, v, oid)
	case time.Time:
		a.buf, format = appendTime(a.buf, v, oid)
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return errNUL
		}
		// What is sent is only read.
		a.put(unsafe.Slice(unsafe.StringData(v), len(v)), textFormat)
		return nil
	case []byte:
		a.buf, format = appendBytes(a.buf, v, oid)
	default:
		return fmt.Errorf("postgres: a %T cannot be sent", arg)
	}
	a.put(a.buf[start:len(a.buf):len(a.buf)], format)
	return nil
}

// put adds an encoded value, which is not NULL even if it is empty.
func (a *arguments) put(value []byte, format int16) {
	if value == nil {
		value = []byte{}
	}
	a.values, a.formats = append(a.values, value), append(a.formats, format)
}

func appendInt(b []byte, v int64, oid uint32) ([]byte, int16) {
	switch {
	case oid == pgtype.Int8OID:
		return binary.BigEndian.AppendUint64(b, uint64(v)), binaryFormat
	case oid == pgtype.Int4OID && int64(int32(v)) == v:
		return binary.BigEndian.AppendUint32(b, uint32(v)), binaryFormat
	case oid == pgtype.Int2OID && int64(int16(v)) == v:
		return binary.BigEndian.AppendUint16(b, uint16(v)), binaryFormat
	case oid == pgtype.Float8OID:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(float64(v))), binaryFormat
	}
	return strconv.AppendInt(b, v, 10), textFormat
}

func appendFloat(b []byte, v float64, oid uint32) ([]byte, int16) {
	if oid == pgtype.Float8OID {
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v)), binaryFormat
	}
	return strconv.AppendFloat(b, v, floatFormat(v), -1, 64), textFormat
}

// floatFormat spells whole numbers in a way that is a whole number to the server.
func floatFormat(v float64) byte {
	if math.Abs(v) < 1e15 {
		return 'f'
	}
	return 'g'
}

func appendBool(b []byte, v bool, oid uint32) ([]byte, int16) {
	bit := byte(0)
	if v {
		bit = 1
	}
	switch oid {
	case pgtype.BoolOID:
		return append(b, bit), binaryFormat
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return append(b, '0'+bit), textFormat
	}
	return strconv.AppendBool(b, v), textFormat
}

// timeText is how times are sent as text: with a zone, so that it does not depend on
// that of the session.
const timeText = orm.TimeLayout + "+00"

func appendTime(b []byte, v time.Time, oid uint32) ([]byte, int16) {
	v = v.UTC()
	switch oid {
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		micros := (v.Unix()-epochSeconds)*microsecond + int64(v.Nanosecond())/1000
		return binary.BigEndian.AppendUint64(b, uint64(micros)), binaryFormat
	case pgtype.DateOID:
		return v.AppendFormat(b, time.DateOnly), textFormat
	}
	return appendTimeText(b, v), textFormat
}

// appendTimeText writes years before Christ as PostgreSQL has them: there is no year 0.
func appendTimeText(b []byte, v time.Time) []byte {
	v = v.UTC()
	if year := v.Year(); year <= 0 {
		b = append(v.AddDate(1-2*year, 0, 0).AppendFormat(b, timeText), " BC"...)
		return b
	}
	return v.AppendFormat(b, timeText)
}

func appendBytes(b, v []byte, oid uint32) ([]byte, int16) {
	switch {
	case oid == pgtype.ByteaOID, oid == pgtype.UUIDOID && len(v) == 16:
		return append(b, v...), binaryFormat
	case oid == 0:
		b = append(b, '\\', 'x')
		return hex.AppendEncode(b, v), textFormat
	}
	return append(b, v...), textFormat
}

// simpleArgs are the arguments of the simple protocol, for which pgx writes them into
// the text.
func simpleArgs(args []any) ([]any, error) {
	list := make([]any, 0, len(args)+1)
	list = append(list, simpleMode)
	for i, arg := range args {
		if text, ok := arg.(string); ok && strings.IndexByte(text, 0) >= 0 {
			return nil, fmt.Errorf("%w (argument %d)", errNUL, i+1)
		}
		list = append(list, arg)
	}
	return list, nil
}
