package form

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// The names of the inputs that a formset has beside those of its forms. No field can be
// called like them.
const (
	totalName   = "TOTAL_FORMS"
	initialName = "INITIAL_FORMS" // for scripts; nothing is decided by it
	keyName     = "ID"
	deleteName  = "DELETE"
	orderName   = "ORDER"
)

// build makes the forms, once.
func (s *setCore) build() {
	if s.built || s.err != nil {
		return
	}
	s.built = true
	if s.err = s.makeForms(); s.err != nil {
		s.bound = s.bound || s.parent != nil && s.parent.bound
		return
	}
	s.shareLists()
}

// shareLists lets all forms load the options of a relation once.
func (s *setCore) shareLists() {
	lists := listings{}
	for _, f := range s.parts {
		f.lists = lists
	}
}

func (s *setCore) makeForms() error {
	some, err := s.narrow()
	if err != nil {
		return err
	}
	switch s.c.Method() {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		in, err := sentBy(s.c)
		if err != nil {
			s.bound = true
			return err
		}
		if s.isSent(in) {
			s.bound = true
			return s.takeForms(in, some)
		}
	}
	return s.showForms(some)
}

// isSent reports whether the request has something for the formset. One beside a form
// that was sent is sent, too, so that an answer without it is not taken for an empty one.
func (s *setCore) isSent(in sent) bool {
	if s.parent != nil && s.parent.bound {
		return true
	}
	if in.object != nil {
		_, ok := in.object[s.prefix]
		return ok
	}
	return hasPrefix(in.data, s.prefix+"-")
}

// showForms makes the forms of a page that nobody sent yet.
func (s *setCore) showForms(some bool) error {
	if some {
		rows, err := s.load()
		if err != nil {
			return err
		}
		for _, row := range rows {
			s.add(reflect.ValueOf(row).Elem(), false)
		}
		s.existing = len(rows)
	}
	for _, row := range s.rows {
		s.add(s.at(row), true)
	}
	if !s.options.NoAdd {
		extra := max(min(s.options.Extra, s.options.Max-len(s.parts)), s.options.Min-len(s.parts))
		for range extra {
			s.add(reflect.Value{}, true)
		}
	}
	return nil
}

// at is the struct at an address that the program gave.
func (s *setCore) at(row unsafe.Pointer) reflect.Value { return reflect.NewAt(s.plan.typ, row).Elem() }

// load finds the rows to show.
func (s *setCore) load() ([]any, error) {
	query, limit := *s.query, s.options.Limit
	if s.options.Offset > 0 {
		query = query.Offset(s.options.Offset)
	}
	if limit <= 0 {
		limit = s.options.Max + maxForms
	}
	rows, err := s.withMany(query.Limit(limit + 1)).All(s.c)
	if err != nil {
		return nil, fmt.Errorf("form: %s: %w", s.plan.typ, err)
	}
	if len(rows) > limit {
		if s.options.Limit <= 0 {
			return nil, fmt.Errorf("form: the formset of %s has more than %d rows; show parts of them with FormsetOptions.Limit and Offset", s.plan.typ, limit)
		}
		rows = rows[:limit]
	}
	return rows, nil
}

// withMany makes a query one that finds out, too, to what the rows are related, with one
// query more for each relation.
func (s *setCore) withMany(query orm.AnySet) orm.AnySet {
	for _, field := range s.form(0).fields {
		if field.spec.shape == toMany {
			query = query.With(s.plan.info.Pointer(field.spec.info))
		}
	}
	return query
}

// add appends the form of a row, or of none.
func (s *setCore) add(row reflect.Value, isNew bool) *core {
	f := s.form(len(s.parts))
	if row.IsValid() {
		f.instance, f.isNew, f.blank = row, isNew, false
		f.use(row)
	}
	s.adopt(f)
	s.parts = append(s.parts, f)
	return f
}

// submitted is what came for one form.
type submitted struct {
	in      sent
	key     string
	deleted bool
	order   string
}

// takeForms makes the forms of what was sent. How many there are, and which rows they are
// about, are claims of the client: too many are refused, and rows that are not among those
// of the query are none.
func (s *setCore) takeForms(in sent, some bool) error {
	items, fault := s.items(in)
	if fault != nil {
		s.others = append(s.others, *fault)
		return nil
	}
	found, err := s.find(items, some)
	if err != nil {
		return err
	}
	fresh := 0 // of the rows that the program gave
	for _, item := range items {
		row, ok := found[item.key]
		switch {
		case item.key == "" && s.options.NoAdd:
			continue
		case item.key == "" && fresh < len(s.rows):
			row, ok = s.at(s.rows[fresh]), true
			fresh++
		}
		f := s.add(row, item.key == "")
		f.take(item.in)
		m := f.member
		m.key, m.orderText = item.key, item.order
		m.deleted = item.deleted && s.canDelete
		if item.key != "" && !ok {
			f.others = append(f.others, *validate.Fault("foreign", nil))
		} else if item.key != "" {
			s.existing++
		}
		delete(found, item.key) // a second form of the row has none
	}
	return nil
}

// items splits what was sent into forms.
func (s *setCore) items(in sent) ([]submitted, *validate.FieldError) {
	if in.object != nil {
		return s.itemsOfJSON(in.object[s.prefix])
	}
	total, err := strconv.Atoi(first(in.data.Values[s.prefix+"-"+totalName]))
	if err != nil || total < 0 {
		return nil, validate.Fault("management", nil)
	}
	if total > s.options.Max+maxForms {
		return nil, validate.Fault("too_many", map[string]any{"max": s.options.Max})
	}
	items := make([]submitted, total)
	for i := range items {
		name := s.prefix + "-" + strconv.Itoa(i) + "-"
		items[i] = submitted{
			in: in, key: strings.TrimSpace(first(in.data.Values[name+keyName])),
			deleted: isOn(first(in.data.Values[name+deleteName])), order: strings.TrimSpace(first(in.data.Values[name+orderName])),
		}
		if fault := validate.TextFault(items[i].key); fault != nil {
			items[i].key = "?" // a row of nobody
		}
	}
	return items, nil
}

// itemsOfJSON reads a list of objects; their members ID, DELETE and ORDER are what the
// inputs of those names are.
func (s *setCore) itemsOfJSON(raw json.RawMessage) ([]submitted, *validate.FieldError) {
	var list []map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		return nil, validate.Fault("management", nil)
	}
	if len(list) > s.options.Max+maxForms {
		return nil, validate.Fault("too_many", map[string]any{"max": s.options.Max})
	}
	items := make([]submitted, len(list))
	for i, object := range list {
		if object == nil {
			object = map[string]json.RawMessage{}
		}
		items[i] = submitted{
			in: sent{object: object}, key: plainJSON(object[keyName]),
			deleted: isOn(plainJSON(object[deleteName])), order: plainJSON(object[orderName]),
		}
	}
	return items, nil
}

// plainJSON is the text of a string, number or bool.
func plainJSON(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	if text = string(raw); text == "null" {
		return ""
	}
	return text
}

// isOn reads a checkbox as a bool field does.
func isOn(text string) bool {
	on := false
	parse := bind.ParseOf(reflect.TypeFor[bool]())
	return parse(reflect.ValueOf(&on).Elem(), text, nil) == nil && on
}

// find looks up the rows that were named, among those that may be changed.
func (s *setCore) find(items []submitted, some bool) (map[string]reflect.Value, error) {
	found := map[string]reflect.Value{}
	if !some {
		return found, nil
	}
	codec := codecOf(s.plan.info.PrimaryKey.Type)
	var keys []any
	for _, item := range items {
		if key, ok := keyOf(s.plan.info.PrimaryKey, codec, item.key); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return found, nil
	}
	rows, err := s.withMany(s.query.Where(orm.Lookup(s.plan.info.PrimaryKey.Snake+"__in", keys))).All(s.c)
	if err != nil {
		return nil, fmt.Errorf("form: %s: %w", s.plan.typ, err)
	}
	for _, row := range rows {
		text, err := keyText(s.plan.info.PrimaryKey, codec, row)
		if err != nil {
			return nil, err
		}
		found[text] = reflect.ValueOf(row).Elem()
	}
	return found, nil
}

// shownKey is the text by which the form's row is known when it comes back.
func (f *core) shownKey() string {
	if f.bound || f.isNew || f.plan.info == nil {
		return f.member.key
	}
	text, err := keyText(f.plan.info.PrimaryKey, codecOf(f.plan.info.PrimaryKey.Type), f.value.Addr().Interface())
	if err != nil {
		return ""
	}
	return text
}

// touched reports whether anything was typed into an empty form.
func (f *core) touched() bool {
	return slices.ContainsFunc(f.fields, (*Field).touched)
}

func (f *Field) touched() bool {
	switch {
	case f.disabled || f.hidden:
		return false
	case f.misfit != "":
		return true
	case f.isFile():
		return len(f.files.sent) > 0
	case f.was != nil:
		texts, fault := f.plainTexts()
		return fault != nil || len(texts) > 0 && !sameSet(texts, f.was.texts)
	case f.Multiple():
		texts, fault := f.submittedList(true)
		return fault != nil || !sameSet(texts, f.shown())
	}
	text, before := f.normal(first(f.raw)), first(f.shown())
	if f.spec.codec.kind == boolKind && f.spec.typ.Kind() == reflect.Bool {
		return isOn(text) != isOn(before)
	}
	if _, color := f.widget.(Color); color && before == "" {
		before = "#000000" // browsers know no empty colour
	}
	return text != "" && text != f.normal(before)
}

// place reads the number of the form's place; without one it comes last.
func (m *member) place() (int, *validate.FieldError) {
	if m.orderText == "" {
		return math.MaxInt, nil
	}
	n, err := strconv.Atoi(m.orderText)
	if err != nil {
		return math.MaxInt, wrongType("integer")
	}
	return n, nil
}

// prepare loads what is needed to render the forms: the options of a relation once, and
// the names of chosen rows with one query for each field.
func (s *setCore) prepare(ctx context.Context) error {
	s.build()
	if s.err != nil || s.ready {
		return s.err
	}
	if !s.options.NoAdd {
		f := s.form(-1)
		s.adopt(f)
		f.lists = listings{}
		if len(s.parts) > 0 {
			f.lists = s.parts[0].lists
		}
		s.empty = f
		if err := f.prepare(ctx); err != nil {
			return err
		}
	}
	for _, f := range s.parts {
		if err := f.prepare(ctx); err != nil {
			return err
		}
	}
	if len(s.parts) > 0 {
		for i := range s.parts[0].fields {
			column := make([]*Field, len(s.parts))
			for j, f := range s.parts {
				column[j] = f.fields[i]
			}
			if err := nameChosen(ctx, column); err != nil {
				return err
			}
		}
	}
	s.firstWrong = slices.IndexFunc(s.parts, func(f *core) bool { return !f.isRight() })
	s.ready = true
	return nil
}
