package generictest

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
)

// TestVisitorsChooseNoModel binds what somebody sends to a generic foreign key.
func TestVisitorsChooseNoModel(t *testing.T) {
	t.Parallel()
	body := httptest.NewRequest("POST", "/", strings.NewReader(`{"Text":"x","On":{"model":"generictest.Author","key":"1"}}`))
	body.Header.Set("Content-Type", "application/json")
	var c Comment
	if err := bind.JSON(body, &c, bind.Limits{}); err == nil || !c.On.IsNull() {
		t.Errorf("by JSON: %v (%v)", c.On, err)
	}
	var q struct {
		On orm.GenericForeignKey `query:"on"`
	}
	query := httptest.NewRequest("GET", "/?on=generictest.Author+1&on.Model=generictest.Author&on.Key=1&on[Model]=generictest.Author", nil)
	if err := bind.Query(query, &q, bind.Limits{}); err == nil || !q.On.IsNull() {
		t.Errorf("by the query: %v (%v)", q.On, err)
	}
}
