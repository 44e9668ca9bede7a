package security

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/server"
)

// maxReport bounds a report, in bytes.
const maxReport = 16 << 10

// reports receives what browsers blocked. Anyone can send such reports, so few of
// them are logged.
type reports struct{ limit ratelimit.Store }

func newReports() *reports {
	return &reports{ratelimit.NewMemory(ratelimit.MemoryOptions{Max: 1000})}
}

// cspReport is the form of report-uri (CSP Level 2, section 4.4).
type cspReport struct {
	Report struct {
		Document  string `json:"document-uri"`
		Directive string `json:"effective-directive"`
		Violated  string `json:"violated-directive"`
		Blocked   string `json:"blocked-uri"`
		Source    string `json:"source-file"`
		Line      int    `json:"line-number"`
	} `json:"csp-report"`
}

func (r *reports) receive(c *retort.Ctx) error {
	var report cspReport
	if err := json.NewDecoder(c.Request().Body).Decode(&report); err != nil {
		if retort.StatusOf(err) == http.StatusRequestEntityTooLarge {
			return err
		}
		return retort.BadRequest("The report is not one of a Content-Security-Policy.").Wrap(err)
	}
	limit := ratelimit.Limit{Requests: 60, Window: time.Minute, Burst: 20}
	result, err := r.limit.Take(c, ratelimit.Charge{Key: "all", Limit: limit, Cost: 1}, ratelimit.Charge{Key: "from " + ByAddress(c), Limit: limit, Cost: 1})
	if err != nil {
		return err
	}
	if !result.Allowed {
		return c.NoContent()
	}
	v := report.Report
	directive := v.Directive
	if directive == "" {
		directive = v.Violated
	}
	c.Logger().Warn("a browser blocked something by the Content-Security-Policy", "directive", short(directive),
		"blocked", short(v.Blocked), "page", short(withoutQuery(v.Document)), "source", short(withoutQuery(v.Source)), "line", v.Line)
	return c.NoContent()
}

// withoutQuery drops what may be secret of an address.
func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	address, _, _ = strings.Cut(address, "#")
	return address
}

// short makes text of strangers fit for the log.
func short(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(server.LoggedPath(s), "?")
}
