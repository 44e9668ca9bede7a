package mysql

import "github.com/retort-web/retort/orm/schema"

var _ schema.Adviser = Dialect{}

// Advice says what to do about missing rights, room and a server that only reads.
func (Dialect) Advice(err error) string {
	switch errorNumber(err) {
	case 1044, 1142, 1143, 1227, 1370: // of the database, a table, a column, the server, a routine
		return "migrate as a user who may change tables, who is in the URL of the database, or give this one the right: GRANT ALL ON … TO …"
	case 1021, 1114, 3675:
		return "make room on the disk of the server"
	case 1290, 1836:
		return "this server only reads: migrate on the primary server"
	}
	return ""
}
