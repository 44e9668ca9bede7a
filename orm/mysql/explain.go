package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
)

// explain says of a value that exists already in which columns it is: the server only
// names the key, and MariaDB not even the table. It asks on the same connection, which
// has nothing else to do after an error.
func (c *conn) explain(err error, sql string) error {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return err
	}
	refused := constraint(e, err)
	if refused == nil {
		return err
	}
	if refused.Table == "" {
		refused.Table = changedTable(sql)
	}
	if refused.Kind == orm.UniqueConstraint && refused.Table != "" {
		refused.Columns = c.columnsOfKey(refused.Table, refused.Constraint)
	}
	return refused
}

// keyColumns finds the columns of a key. Those that the schema's dialect makes for
// conditional keys name the column that they stand for in their comment.
const keyColumns = `SELECT IF(c.column_comment LIKE 'for %' AND c.extra LIKE '%GENERATED%', SUBSTR(c.column_comment, 5), s.column_name)
FROM information_schema.statistics s
JOIN information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name
WHERE s.table_schema = DATABASE() AND s.table_name = `

func (c *conn) columnsOfKey(table, key string) []string {
	sql := keyColumns + quoteText(table) + " AND s.index_name = " + quoteText(key) + " ORDER BY s.seq_in_index"
	rows, err := c.raw.(driver.QueryerContext).QueryContext(context.Background(), sql, nil)
	if err != nil {
		c.note(err)
		return nil
	}
	defer func() { _ = rows.Close() }()
	var columns []string
	row := make([]driver.Value, 1)
	for rows.Next(row) == nil {
		if name, ok := row[0].([]byte); ok {
			columns = append(columns, string(name))
		}
	}
	return columns
}

// changedTable is the table that a statement writes to.
func changedTable(sql string) string {
	for _, verb := range []string{"INSERT INTO ", "UPDATE ", "REPLACE INTO ", "DELETE FROM "} {
		if len(sql) < len(verb) || !strings.EqualFold(sql[:len(verb)], verb) {
			continue
		}
		name := sql[len(verb):]
		if name != "" && (name[0] == '`' || name[0] == '"') {
			if end := strings.IndexByte(name[1:], name[0]); end >= 0 {
				return name[1 : end+1]
			}
			return ""
		}
		if end := strings.IndexAny(name, " (\t\n"); end > 0 {
			return name[:end]
		}
	}
	return ""
}
