package main

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/signing"
)

func TestSecretIsAKeyAndNewEachTime(t *testing.T) {
	t.Parallel()
	first, second := strings.TrimSpace(tool(t, 0, "secret")), strings.TrimSpace(tool(t, 0, "secret"))
	if first == second {
		t.Error("the same key twice")
	}
	if _, err := signing.New(first); err != nil {
		t.Error(err)
	}
}
