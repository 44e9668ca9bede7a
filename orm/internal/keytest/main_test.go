package keytest

import (
	"testing"

	"github.com/retort-web/retort/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
