package bind

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"strconv"
)

// presence knows which members a JSON body has, which their values do not tell
// when they are zero. It reads the body a second time, when first asked.
type presence struct {
	body  []byte // nil when there was no JSON
	seed  maphash.Seed
	paths map[uint64]struct{} // hashes, which take less room; nil until asked
}

// maxPresencePath is longer than the path of any field. Longer ones would let a
// long name be copied for each of many values below it.
const maxPresencePath = 1 << 10

// has reports whether the body has a member that is not null at a path such as
// "items[2].price". Letter case is ignored, as encoding/json does.
func (p *presence) has(path string) bool {
	if p.body == nil {
		return false
	}
	if p.paths == nil {
		p.seed, p.paths = maphash.MakeSeed(), map[uint64]struct{}{}
		decoder := json.NewDecoder(bytes.NewReader(p.body))
		decoder.UseNumber()
		p.walk(decoder, nil)
	}
	_, ok := p.paths[p.hash([]byte(path))]
	return ok
}

func (p *presence) hash(path []byte) uint64 {
	return maphash.Bytes(p.seed, bytes.ToLower(path))
}

// walk reads one value. How deep it can go was checked before.
func (p *presence) walk(decoder *json.Decoder, path []byte) bool {
	token, err := decoder.Token()
	if err != nil {
		return false
	}
	if token == nil {
		return true
	}
	if len(path) > 0 && len(path) <= maxPresencePath {
		p.paths[p.hash(path)] = struct{}{}
	}
	switch token {
	case json.Delim('{'):
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return false
			}
			inner := path
			if len(inner) > 0 {
				inner = append(inner, '.')
			}
			if len(inner) <= maxPresencePath {
				inner = append(inner, name.(string)...)
			}
			if !p.walk(decoder, inner) {
				return false
			}
		}
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			inner := strconv.AppendInt(append(path, '['), int64(i), 10)
			if !p.walk(decoder, append(inner, ']')) {
				return false
			}
		}
	default:
		return true
	}
	_, err = decoder.Token()
	return err == nil
}
