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
	if inDatabase, table := changedTable(sql); refused.Table == "" || refused.Table == table && refused.Schema == "" {
		refused.Schema, refused.Table = inDatabase, table
	}
	if refused.Kind == orm.UniqueConstraint && refused.Table != "" {
		refused.Columns = c.columnsOfKey(refused.Schema, refused.Table, refused.Constraint)
	}
	return refused
}

// keyColumns finds the columns of a key. Those that the schema's dialect makes for
// conditional keys name the column that they stand for in their comment.
const keyColumns = `SELECT IF(c.column_comment LIKE 'for %' AND c.extra LIKE '%GENERATED%', SUBSTR(c.column_comment, 5), s.column_name)
FROM information_schema.statistics s
JOIN information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name
WHERE s.table_schema = `

func (c *conn) columnsOfKey(inDatabase, table, key string) []string {
	database := "DATABASE()"
	if inDatabase != "" {
		database = quoteText(inDatabase)
	}
	sql := keyColumns + database + " AND s.table_name = " + quoteText(table) + " AND s.index_name = " + quoteText(key) + " ORDER BY s.seq_in_index"
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

// changedTable is the table that a statement writes to, and the database that it says the
// table is in.
func changedTable(sql string) (inDatabase, table string) {
	for _, verb := range []string{"INSERT INTO ", "UPDATE ", "REPLACE INTO ", "DELETE FROM "} {
		if len(sql) < len(verb) || !strings.EqualFold(sql[:len(verb)], verb) {
			continue
		}
		name := sql[len(verb):]
		table, rest := firstName(name)
		if rest, qualified := strings.CutPrefix(rest, "."); qualified {
			inDatabase = table
			table, _ = firstName(rest)
		}
		return inDatabase, table
	}
	return "", ""
}

// firstName cuts a name, quoted or not, from the beginning of SQL text.
func firstName(sql string) (name, rest string) {
	if sql != "" && (sql[0] == '`' || sql[0] == '"') {
		if end := strings.IndexByte(sql[1:], sql[0]); end >= 0 {
			return sql[1 : end+1], sql[end+2:]
		}
		return "", ""
	}
	if end := strings.IndexAny(sql, ". (\t\n"); end > 0 {
		return sql[:end], sql[end:]
	}
	return "", ""
}
