package postgres

import (
	"errors"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Adviser = Dialect{}

// Advice says what to do about missing rights, room and a server that only reads.
func (Dialect) Advice(err error) string {
	e, ok := errors.AsType[stateError](err)
	if !ok {
		return ""
	}
	switch e.SQLState() {
	case "42501":
		return "migrate as the owner of the tables, who is in the URL of the database, or give its user the right: GRANT CREATE ON SCHEMA … TO …, and ALTER TABLE … OWNER TO … for tables of others"
	case "53100":
		return "make room on the disk of the server"
	case "25006":
		return "this server, or its user, only reads: migrate on the primary server"
	}
	return ""
}
