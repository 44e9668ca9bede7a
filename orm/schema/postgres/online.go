package postgres

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Online = Dialect{}

// CreateIndexConcurrently returns the statement that creates an index while rows are
// written.
func (Dialect) CreateIndexConcurrently(t *schema.Table, i *schema.Index) ([]string, bool) {
	if isConstraint(i) {
		return nil, false
	}
	return []string{createIndex(t, i, "CONCURRENTLY ")}, true
}

// DropIndexConcurrently returns the statement that drops an index when nobody uses it any
// more, and lets nobody wait for that.
func (Dialect) DropIndexConcurrently(t *schema.Table, i *schema.Index) ([]string, bool) {
	if isConstraint(i) {
		return nil, false
	}
	return []string{"DROP INDEX CONCURRENTLY " + indexName(t, i)}, true
}

// AddCheckNotValid returns the statement that adds a check for new rows.
func (Dialect) AddCheckNotValid(t *schema.Table, c *schema.Check) []string {
	return []string{alter(t, addCheck(c)+" NOT VALID")}
}

// ValidateCheck returns the statement that holds the other rows to a check.
func (Dialect) ValidateCheck(t *schema.Table, name string) []string {
	return []string{alter(t, "VALIDATE CONSTRAINT "+quoteName(name))}
}

// AddForeignKeyNotValid returns the statement that adds a reference for new rows.
func (Dialect) AddForeignKeyNotValid(t *schema.Table, k *schema.ForeignKey) []string {
	return []string{alter(t, "ADD "+foreignKey(k)+" NOT VALID")}
}

// ValidateForeignKey returns the statement that holds the other rows to a reference,
// whose name is looked up.
func (Dialect) ValidateForeignKey(t *schema.Table, columns []string) []string {
	return []string{eachConstraint(t, "f", "VALIDATE", columns)}
}

// ForbidNull returns the statements that make a column NOT NULL. Where a valid check says
// that no NULL is there, the server takes its word and does not read the table.
func (d Dialect) ForbidNull(t *schema.Table, c *schema.Column) (before, after []string) {
	check := &schema.Check{Name: constraintName(t, c, "not_null"), SQL: quoteName(c.Name) + " IS NOT NULL"}
	before = d.AddCheckNotValid(t, check)
	after = append(after, d.ValidateCheck(t, check.Name)...)
	after = append(after, alter(t, "ALTER COLUMN "+quoteName(c.Name)+" SET NOT NULL"))
	return before, append(after, d.DropCheck(t, t, check)...)
}

// AddUnique returns the statements that make a column unique: an index first, which then
// becomes the constraint.
func (d Dialect) AddUnique(t *schema.Table, c *schema.Column) []string {
	name := constraintName(t, c, "key")
	// In the order of a constraint, which is not that of other indexes.
	index := fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", quoteName(name), quoteName(t.Name), quoteName(c.Name))
	return []string{index, fmt.Sprintf(`DO $do$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s) THEN
		%s;
	END IF;
END $do$`, quoteText(quoteName(t.Name)), quoteText(name), alter(t, "ADD CONSTRAINT "+quoteName(name)+" UNIQUE USING INDEX "+quoteName(name)))}
}

// maxName is how many bytes of a name the server keeps.
const maxName = 63

// constraintName is what the server would call a constraint of a column; one that is too
// long ends in a hash.
func constraintName(t *schema.Table, c *schema.Column, kind string) string {
	_, table := split(t.Name)
	name := table + "_" + c.Name + "_" + kind
	if len(name) <= maxName {
		return name
	}
	sum := "_" + strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(name))), 36)
	return strings.ToValidUTF8(name[:maxName-len(sum)], "") + sum
}
