package orm

import "github.com/retort-web/retort/orm/schema"

// Lower is a text in lower case. On SQLite only ASCII letters change.
func Lower(field any) Expr { return Expr{newCall("lower", F(field))} }

// Upper is a text in upper case. On SQLite only ASCII letters change.
func Upper(field any) Expr { return Expr{newCall("upper", F(field))} }

// Length is the number of characters of a text.
func Length(field any) Expr { return Expr{newCall("length", F(field))} }

// Concat joins fields, expressions and values to one text, in which NULL is empty.
func Concat(parts ...any) Expr {
	e := Expr{&value{""}}
	for i, part := range parts {
		next := Expr{argument(part)}
		if _, ok := part.(string); !ok {
			text := &call{f: Function{Name: "cast", Args: 1, Type: schema.Text}, args: []operand{next.e}, like: -1}
			next = Expr{&call{f: Function{Name: "coalesce", Args: 2}, args: []operand{text, &value{""}}, like: -1}}
		}
		if i == 0 {
			e = next
			continue
		}
		e = Expr{newCall("concat", e, next)}
	}
	return e
}

// Trim is a text without spaces around it.
func Trim(field any) Expr { return Expr{newCall("trim", F(field))} }

// TrimLeft is a text without spaces before it.
func TrimLeft(field any) Expr { return Expr{newCall("ltrim", F(field))} }

// TrimRight is a text without spaces after it.
func TrimRight(field any) Expr { return Expr{newCall("rtrim", F(field))} }

// Substr is so many characters of a text, from that one on; the first is 1.
func Substr(field any, from, length int) Expr {
	return Expr{newCall("substr", F(field), whole(from), whole(length))}
}

// Left is the first characters of a text.
func Left(field any, length int) Expr { return Expr{newCall("left", F(field), whole(length))} }

// Right is the last characters of a text.
func Right(field any, length int) Expr { return Expr{newCall("right", F(field), whole(length))} }

// Replace is a text with all that is old in it replaced.
func Replace(field any, old, replacement any) Expr {
	return Expr{newCall("replace", F(field), old, replacement)}
}

// Reverse is a text from its end to its beginning.
func Reverse(field any) Expr { return Expr{newCall("reverse", F(field))} }

// Repeat is a text so many times.
func Repeat(field any, times int) Expr { return Expr{newCall("repeat", F(field), whole(times))} }

// PadLeft is a text brought to a length by filling in from the left, or cut off to it.
func PadLeft(field any, length int, fill string) Expr {
	return Expr{newCall("lpad", F(field), whole(length), fill)}
}

// PadRight is a text brought to a length by filling in from the right, or cut off to it.
func PadRight(field any, length int, fill string) Expr {
	return Expr{newCall("rpad", F(field), whole(length), fill)}
}

// Position is where in a text another one begins, counted from 1; 0 if it does not.
func Position(field, text any) Expr { return Expr{newCall("position", F(field), text)} }

// MD5 is the hash of a text in hexadecimal digits.
func MD5(field any) Expr { return Expr{newCall("md5", F(field))} }

// SHA1 is the hash of a text in hexadecimal digits. PostgreSQL needs the extension
// pgcrypto for it.
func SHA1(field any) Expr { return Expr{newCall("sha1", F(field))} }

// SHA256 is the hash of a text in hexadecimal digits.
func SHA256(field any) Expr { return Expr{newCall("sha256", F(field))} }

// SHA512 is the hash of a text in hexadecimal digits.
func SHA512(field any) Expr { return Expr{newCall("sha512", F(field))} }

// Regex is true if a text has a part that matches a regular expression. What is common
// to the databases is what RE2 and POSIX share; on SQLite it is that of package regexp.
func Regex(field any, pattern string) Cond { return F(field).Regex(pattern) }

// IRegex is [Regex] in any case of letters.
func IRegex(field any, pattern string) Cond { return F(field).IRegex(pattern) }
