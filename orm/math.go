package orm

// Abs is the absolute value of a number.
func Abs(field any) Expr { return Expr{newCall("abs", F(field))} }

// Ceil is the least whole number that is not less.
func Ceil(field any) Expr { return Expr{newCall("ceil", F(field))} }

// Floor is the greatest whole number that is not greater.
func Floor(field any) Expr { return Expr{newCall("floor", F(field))} }

// Round is a number rounded to so many digits after the point.
func Round(field any, digits int) Expr { return Expr{newCall("round", F(field), whole(digits))} }

// Sign is -1, 0 or 1.
func Sign(field any) Expr { return Expr{newCall("sign", F(field))} }

// Sqrt is the square root.
func Sqrt(field any) Expr { return Expr{newCall("sqrt", F(field))} }

// Exp is e to the power of a number.
func Exp(field any) Expr { return Expr{newCall("exp", F(field))} }

// Ln is the natural logarithm.
func Ln(field any) Expr { return Expr{newCall("ln", F(field))} }

// Log is the logarithm to a base.
func Log(base float64, field any) Expr { return Expr{newCall("log", base, F(field))} }

// Sin is the sine of an angle in radians.
func Sin(field any) Expr { return Expr{newCall("sin", F(field))} }

// Cos is the cosine of an angle in radians.
func Cos(field any) Expr { return Expr{newCall("cos", F(field))} }

// Tan is the tangent of an angle in radians.
func Tan(field any) Expr { return Expr{newCall("tan", F(field))} }

// ASin is the angle, in radians, of a sine.
func ASin(field any) Expr { return Expr{newCall("asin", F(field))} }

// ACos is the angle, in radians, of a cosine.
func ACos(field any) Expr { return Expr{newCall("acos", F(field))} }

// ATan is the angle, in radians, of a tangent.
func ATan(field any) Expr { return Expr{newCall("atan", F(field))} }

// ATan2 is the angle, in radians, of the point (x, y).
func ATan2(y, x any) Expr { return Expr{newCall("atan2", F(y), x)} }

// Degrees is an angle in degrees of one in radians.
func Degrees(field any) Expr { return Expr{newCall("degrees", F(field))} }

// Radians is an angle in radians of one in degrees.
func Radians(field any) Expr { return Expr{newCall("radians", F(field))} }
