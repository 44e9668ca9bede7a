package orm_test

import (
	"fmt"

	"github.com/retort-web/retort/orm"
)

// A site adds columns to the table of a library, whose own code goes on as before.
func ExampleExtend() {
	ctx, done := exampleBlog()
	defer done()
	// var Tenants = orm.Extend[Tenant](Holders)
	tenant := Tenants.New()
	tenant.Email, tenant.Phone = "ann@example.com", new("112")
	fmt.Println(Tenants.Insert(ctx, tenant))

	h := Holders.Fields()
	holder, err := Holders.Where(orm.Eq(&h.Email, "ann@example.com")).Get(ctx)
	fmt.Println(holder.ID == tenant.ID, err)

	t := Tenants.Fields()
	whole, err := Tenants.Where(orm.Eq(&t.Phone, new("112"))).Get(ctx)
	fmt.Println(whole.Email, *whole.Phone, err)
	// Output:
	// <nil>
	// true <nil>
	// ann@example.com 112 <nil>
}
