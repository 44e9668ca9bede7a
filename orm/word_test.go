package orm_test

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

func (w Word) Value() (driver.Value, error) {
	if w == "bad" {
		return nil, errOwn
	}
	return strings.ToLower(string(w)), nil
}

func (w *Word) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a %T", v)
	}
	*w = Word(strings.ToUpper(s))
	return nil
}
