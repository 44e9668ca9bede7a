package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/retort-web/retort/orm"
)

// column is how the values of one column of a result are read.
type column struct {
	name   string
	format int16 // 0 for text, 1 for binary
	// scan stores a value in a cell, and value returns it as a plain value. The
	// bytes are valid during the call only.
	scan  func(cell *orm.Cell, raw []byte) error
	value func(raw []byte) (any, error)
}

const (
	textFormat   = 0
	binaryFormat = 1
)

// binaryColumns are the types that are read as the server has them.
var binaryColumns = map[uint32]column{
	pgtype.BoolOID:        {scan: scanBool, value: valueBool},
	pgtype.Int2OID:        {scan: scanInt2, value: valueInt2},
	pgtype.Int4OID:        {scan: scanInt4, value: valueInt4},
	pgtype.Int8OID:        {scan: scanInt8, value: valueInt8},
	pgtype.OIDOID:         {scan: scanOID, value: valueOID},
	pgtype.Float4OID:      {scan: scanFloat4, value: valueFloat4},
	pgtype.Float8OID:      {scan: scanFloat8, value: valueFloat8},
	pgtype.ByteaOID:       {scan: (*orm.Cell).SetBytes, value: valueBytes},
	pgtype.TextOID:        {scan: (*orm.Cell).SetText, value: valueText},
	pgtype.VarcharOID:     {scan: (*orm.Cell).SetText, value: valueText},
	pgtype.BPCharOID:      {scan: (*orm.Cell).SetText, value: valueText},
	pgtype.NameOID:        {scan: (*orm.Cell).SetText, value: valueText},
	pgtype.JSONOID:        {scan: (*orm.Cell).SetText, value: valueText},
	pgtype.TimestamptzOID: {scan: scanTimestamp, value: valueTimestamp},
	pgtype.TimestampOID:   {scan: scanTimestamp, value: valueTimestamp},
	pgtype.DateOID:        {scan: scanDate, value: valueDate},
	pgtype.UUIDOID:        {scan: scanUUID, value: valueUUID},
}

// columnOf plans a column whose format can be chosen. Types without a plan of their
// own, jsonb, numeric and those of users among them, come as text.
func columnOf(name string, oid uint32) column {
	if c, ok := binaryColumns[oid]; ok {
		c.name, c.format = name, binaryFormat
		return c
	}
	return textColumnOf(name, oid)
}

// textColumnOf plans a column that comes as text.
func textColumnOf(name string, oid uint32) column {
	c := column{name: name, scan: (*orm.Cell).SetText, value: valueText}
	if value := textValues[oid]; value != nil {
		c.value = value
		c.scan = func(cell *orm.Cell, raw []byte) error {
			v, err := value(raw)
			if err != nil {
				return err
			}
			return cell.Set(v)
		}
	}
	return c
}

var errShort = errors.New("postgres: the server sent a value of another size than its type has")

func int2(raw []byte) (int64, error) {
	if len(raw) != 2 {
		return 0, errShort
	}
	return int64(int16(binary.BigEndian.Uint16(raw))), nil
}

func int4(raw []byte) (int64, error) {
	if len(raw) != 4 {
		return 0, errShort
	}
	return int64(int32(binary.BigEndian.Uint32(raw))), nil
}

func int8(raw []byte) (int64, error) {
	if len(raw) != 8 {
		return 0, errShort
	}
	return int64(binary.BigEndian.Uint64(raw)), nil
}

func scanBool(cell *orm.Cell, raw []byte) error {
	if len(raw) != 1 {
		return errShort
	}
	return cell.SetBool(raw[0] != 0)
}

func valueBool(raw []byte) (any, error) {
	if len(raw) != 1 {
		return nil, errShort
	}
	return raw[0] != 0, nil
}

func scanInt2(cell *orm.Cell, raw []byte) error {
	n, err := int2(raw)
	if err != nil {
		return err
	}
	return cell.SetInt64(n)
}

func valueInt2(raw []byte) (any, error) { n, err := int2(raw); return n, err }

func scanInt4(cell *orm.Cell, raw []byte) error {
	n, err := int4(raw)
	if err != nil {
		return err
	}
	return cell.SetInt64(n)
}

func valueInt4(raw []byte) (any, error) { n, err := int4(raw); return n, err }

func scanInt8(cell *orm.Cell, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	return cell.SetInt64(int64(binary.BigEndian.Uint64(raw)))
}

func valueInt8(raw []byte) (any, error) { n, err := int8(raw); return n, err }

func scanOID(cell *orm.Cell, raw []byte) error {
	if len(raw) != 4 {
		return errShort
	}
	return cell.SetInt64(int64(binary.BigEndian.Uint32(raw)))
}

func valueOID(raw []byte) (any, error) {
	if len(raw) != 4 {
		return nil, errShort
	}
	return int64(binary.BigEndian.Uint32(raw)), nil
}

func scanFloat4(cell *orm.Cell, raw []byte) error {
	if len(raw) != 4 {
		return errShort
	}
	return cell.SetFloat64(float64(math.Float32frombits(binary.BigEndian.Uint32(raw))))
}

func valueFloat4(raw []byte) (any, error) {
	if len(raw) != 4 {
		return nil, errShort
	}
	return float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), nil
}

func scanFloat8(cell *orm.Cell, raw []byte) error {
	if len(raw) != 8 {
		return errShort
	}
	return cell.SetFloat64(math.Float64frombits(binary.BigEndian.Uint64(raw)))
}

func valueFloat8(raw []byte) (any, error) {
	if len(raw) != 8 {
		return nil, errShort
	}
	return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
}

func valueBytes(raw []byte) (any, error) { return append([]byte{}, raw...), nil }

func valueText(raw []byte) (any, error) { return string(raw), nil }

// PostgreSQL counts time from the beginning of 2000,
// https://www.postgresql.org/docs/current/datatype-datetime.html.
const (
	epochSeconds = 946684800 // from 1970 to 2000
	epochDays    = 10957
	secondsOfDay = 24 * 60 * 60
	microsecond  = 1e6
)

var errInfinity = errors.New("the time is infinity, which has no Go value")

func timestamp(raw []byte) (time.Time, error) {
	if len(raw) != 8 {
		return time.Time{}, errShort
	}
	n := int64(binary.BigEndian.Uint64(raw))
	if n == math.MaxInt64 || n == math.MinInt64 {
		return time.Time{}, errInfinity
	}
	seconds, micros := n/microsecond, n%microsecond
	return time.Unix(seconds+epochSeconds, micros*1000).UTC(), nil
}

func scanTimestamp(cell *orm.Cell, raw []byte) error {
	t, err := timestamp(raw)
	if err != nil {
		return err
	}
	return cell.SetTime(t)
}

func valueTimestamp(raw []byte) (any, error) {
	t, err := timestamp(raw)
	return t, err
}

func date(raw []byte) (time.Time, error) {
	if len(raw) != 4 {
		return time.Time{}, errShort
	}
	n := int32(binary.BigEndian.Uint32(raw))
	if n == math.MaxInt32 || n == math.MinInt32 {
		return time.Time{}, errInfinity
	}
	return time.Unix((int64(n)+epochDays)*secondsOfDay, 0).UTC(), nil
}

func scanDate(cell *orm.Cell, raw []byte) error {
	t, err := date(raw)
	if err != nil {
		return err
	}
	return cell.SetDate(t)
}

// valueDate is text, as it is on the other databases.
func valueDate(raw []byte) (any, error) {
	t, err := date(raw)
	return t.Format(time.DateOnly), err
}

func scanUUID(cell *orm.Cell, raw []byte) error {
	if len(raw) != 16 {
		return errShort
	}
	return cell.SetUUID([16]byte(raw))
}

func valueUUID(raw []byte) (any, error) {
	if len(raw) != 16 {
		return nil, errShort
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[0:4], raw[4:6], raw[6:8], raw[8:10], raw[10:16]), nil
}

// textValues read the types whose text is not their plain value.
var textValues = map[uint32]func(raw []byte) (any, error){
	pgtype.BoolOID:        func(raw []byte) (any, error) { return string(raw) == "t", nil },
	pgtype.Int2OID:        textInt,
	pgtype.Int4OID:        textInt,
	pgtype.Int8OID:        textInt,
	pgtype.OIDOID:         textInt,
	pgtype.Float4OID:      textFloat,
	pgtype.Float8OID:      textFloat,
	pgtype.ByteaOID:       textBytes,
	pgtype.TimestamptzOID: textTimestamp,
	pgtype.TimestampOID:   textTimestamp,
}

func textInt(raw []byte) (any, error) { n, err := strconv.ParseInt(string(raw), 10, 64); return n, err }

func textFloat(raw []byte) (any, error) { f, err := strconv.ParseFloat(string(raw), 64); return f, err }

func textBytes(raw []byte) (any, error) {
	if len(raw) < 2 || raw[0] != '\\' || raw[1] != 'x' {
		return nil, errors.New("bytes in the old format; set bytea_output to hex")
	}
	b := make([]byte, hex.DecodedLen(len(raw)-2))
	_, err := hex.Decode(b, raw[2:])
	return b, err
}

// textTimestamp reads 2026-01-02 03:04:05.678+00, the zone of which may have
// minutes, or be missing.
func textTimestamp(raw []byte) (any, error) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, string(raw)); err == nil {
			return t.UTC(), nil
		}
	}
	return nil, fmt.Errorf("%q is not a time that Go can hold", raw)
}
