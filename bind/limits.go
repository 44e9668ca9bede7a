package bind

// Limits bound what a request can make the program read and keep. Each zero is
// the default. Sizes are in bytes and are counted while reading: a
// Content-Length is only believed when it is too large.
type Limits struct {
	// Body is the size of the whole body, files included. Default: 10 MiB.
	Body int64

	// FormMemory is the size of all that a form sends except files, in a
	// urlencoded body the whole of it. Default: 500 KiB.
	FormMemory int64

	// FileMemory is how much of a form's files is kept in memory; what is above
	// goes to temporary files. Default: 1 MiB.
	FileMemory int64

	// FormFields is the number of values in a form. Default: 1000.
	FormFields int

	// Parts is the number of parts of a multipart form, values and files
	// together. Default: 1000.
	Parts int

	// Files is the number of files in a form. Default: 100.
	Files int

	// PartHeader is the size of the header of one part, give or take the 4 KiB
	// that are read at a time. Default: 8 KiB.
	PartHeader int

	// JSONDepth is how deep lists and objects may be nested. Default: 100.
	JSONDepth int

	// JSONValues is the number of members of objects and items of lists
	// together. Default: 100,000.
	JSONValues int

	// QueryFields is the number of values in the query of the URL. Default: 1000.
	QueryFields int

	// RefuseUnknown makes members of JSON objects that the struct does not have
	// an error. Default: they are ignored.
	RefuseUnknown bool
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Body, 10<<20)
	setDefault(&l.FormMemory, 500<<10)
	setDefault(&l.FileMemory, 1<<20)
	setDefault(&l.FormFields, 1000)
	setDefault(&l.Parts, 1000)
	setDefault(&l.Files, 100)
	setDefault(&l.PartHeader, 8<<10)
	setDefault(&l.JSONDepth, 100)
	setDefault(&l.JSONValues, 100_000)
	setDefault(&l.QueryFields, 1000)
	return l
}

func setDefault[T int | int64](limit *T, value T) {
	if *limit <= 0 {
		*limit = value
	}
}
