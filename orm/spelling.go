package orm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Function is a function of this package's library, as a [Dialect] is asked to spell
// it. Not stable, as the dialects are not.
type Function struct {
	// Name is one of the keys of the standard spellings, such as "substr", or
	// "extract", "trunc", "cast" and others that no two databases spell alike.
	Name string
	// Args is how many arguments there are.
	Args int
	// Unit is the part of a time, for "extract" and "trunc".
	Unit Unit
	// Zone is the IANA name of the time zone, for "extract" and "trunc".
	Zone string
	// Type is what "cast" makes, what a "value" is, and what "fits". For an aggregate it is
	// that of the field, if a field is aggregated.
	Type schema.Type
	// Distinct makes an aggregate take each value once.
	Distinct bool
}

// Lock says how a SELECT locks the rows it reads.
type Lock struct {
	// Tables are the aliases of the tables whose rows are locked.
	Tables []string
	// NoWait fails at once if a row is locked.
	NoWait bool
	// SkipLocked leaves out rows that are locked.
	SkipLocked bool
	// NoKey lets others refer to the rows by foreign keys meanwhile.
	NoKey bool
	// Share lets others read and lock the rows in the same way, but not change them.
	Share bool
}

// ExplainOptions say what [Query.Explain] tells. What a database cannot do is an
// error.
type ExplainOptions struct {
	// Analyze runs the query and tells what it did.
	Analyze bool
	// Format is "text", "json" or what else the database has. Default: its own.
	Format string
	// Verbose and Buffers are for PostgreSQL.
	Verbose, Buffers bool
}

// standardSpellings are the functions that databases mostly spell alike. In a spelling
// %1 is the first argument, %* are all of them with commas, and %% is a percent sign. In
// an aggregate %d is where DISTINCT stands, %o where ORDER BY does.
var standardSpellings = map[string]string{
	"value":        "%1",
	"fits":         "%1", // what an Update computes, as a value of the column
	"add":          "(%1 + %2)",
	"sub":          "(%1 - %2)",
	"mul":          "(%1 * %2)",
	"div":          "(%1 / %2)",
	"mod":          "MOD(%1, %2)",
	"pow":          "POWER(%1, %2)",
	"bitand":       "(%1 & %2)",
	"bitor":        "(%1 | %2)",
	"bitleft":      "(%1 << %2)",
	"bitright":     "(%1 >> %2)",
	"neg":          "(- %1)",
	"abs":          "ABS(%1)",
	"ceil":         "CEIL(%1)",
	"floor":        "FLOOR(%1)",
	"round":        "ROUND(%*)",
	"sign":         "SIGN(%1)",
	"sqrt":         "SQRT(%1)",
	"exp":          "EXP(%1)",
	"ln":           "LN(%1)",
	"sin":          "SIN(%1)",
	"cos":          "COS(%1)",
	"tan":          "TAN(%1)",
	"asin":         "ASIN(%1)",
	"acos":         "ACOS(%1)",
	"atan":         "ATAN(%1)",
	"atan2":        "ATAN2(%1, %2)",
	"degrees":      "DEGREES(%1)",
	"radians":      "RADIANS(%1)",
	"lower":        "LOWER(%1)",
	"upper":        "UPPER(%1)",
	"length":       "CHAR_LENGTH(%1)",
	"concat":       "CONCAT(%*)",
	"trim":         "TRIM(%1)",
	"ltrim":        "LTRIM(%1)",
	"rtrim":        "RTRIM(%1)",
	"substr":       "SUBSTR(%*)",
	"replace":      "REPLACE(%1, %2, %3)",
	"reverse":      "REVERSE(%1)",
	"repeat":       "REPEAT(%1, %2)",
	"lpad":         "LPAD(%1, %2, %3)",
	"rpad":         "RPAD(%1, %2, %3)",
	"left":         "LEFT(%1, %2)",
	"right":        "RIGHT(%1, %2)",
	"coalesce":     "COALESCE(%*)",
	"nullif":       "NULLIF(%1, %2)",
	"greatest":     "GREATEST(%*)",
	"least":        "LEAST(%*)",
	"row_number":   "ROW_NUMBER()",
	"rank":         "RANK()",
	"dense_rank":   "DENSE_RANK()",
	"percent_rank": "PERCENT_RANK()",
	"cume_dist":    "CUME_DIST()",
	"ntile":        "NTILE(%1)",
	"lag":          "LAG(%*)",
	"lead":         "LEAD(%*)",
	"first_value":  "FIRST_VALUE(%1)",
	"last_value":   "LAST_VALUE(%1)",
	"nth_value":    "NTH_VALUE(%1, %2)",
	"count":        "COUNT(%d%1)",
	"sum":          "SUM(%d%1)",
	"avg":          "AVG(%d%1)",
	"min":          "MIN(%d%1)",
	"max":          "MAX(%d%1)",
	"stddev":       "STDDEV_POP(%d%1)",
	"stddev_samp":  "STDDEV_SAMP(%d%1)",
	"variance":     "VAR_POP(%d%1)",
	"var_samp":     "VAR_SAMP(%d%1)",
	"bit_and":      "BIT_AND(%d%1)",
	"bit_or":       "BIT_OR(%d%1)",
	"bit_xor":      "BIT_XOR(%d%1)",
	"any_value":    "MIN(%d%1)",
}

// orderArgument is what the arguments are asked for where an aggregate is ordered.
const orderArgument = -1

// spelled writes a function whose arguments write writes, each as often as the
// spelling names it.
func (c *compiler) spelled(f Function, write func(arg int)) {
	if name, custom := strings.CutPrefix(f.Name, customFunction); custom {
		c.text(name)
		c.text("(")
		for i := range f.Args {
			if i > 0 {
				c.text(", ")
			}
			write(i)
		}
		c.text(")")
		return
	}
	spelling, err := c.dialect.Function(f)
	if err == nil && spelling == "" {
		spelling = standardSpellings[f.Name]
	}
	if err == nil && spelling == "" {
		err = fmt.Errorf("orm: %s has no function %s", c.dialect.Name(), f.Name)
	}
	if err != nil {
		c.fail(err)
		return
	}
	for {
		text, rest, found := strings.Cut(spelling, "%")
		c.text(text)
		if !found || rest == "" {
			return
		}
		switch mark := rest[0]; mark {
		case '%':
			c.text("%")
		case 'd':
			if f.Distinct {
				c.text("DISTINCT ")
			}
		case 'o':
			write(orderArgument)
		case '*':
			for i := range f.Args {
				if i > 0 {
					c.text(", ")
				}
				write(i)
			}
		default:
			n, err := strconv.Atoi(string(mark))
			if err != nil || n < 1 || n > f.Args {
				c.failf("%s spells %s with argument %%%c of %d", c.dialect.Name(), f.Name, mark, f.Args)
				return
			}
			write(n - 1)
		}
		spelling = rest[1:]
	}
}
