// Command benchrun starts each contender in turn, checks its answers, loads
// it with wrk and notes what it cost. See README.md; run.sh calls it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type contender struct {
	Name, Port string
	Workloads  []string
	Command    string
	Paths      map[string]string
}

type workload struct {
	Name, Path string
	Session    bool
	Post       bool
}

var workloads = []workload{
	{Name: "plaintext", Path: "/plaintext"},
	{Name: "json", Path: "/json"},
	{Name: "db", Path: "/db"},
	{Name: "queries", Path: "/queries?n=20"},
	{Name: "fortunes", Path: "/fortunes"},
	{Name: "updates", Path: "/updates?n=20"},
	{Name: "page", Path: "/page", Session: true},
	{Name: "create", Path: "/create", Session: true, Post: true},
	{Name: "api", Path: "/api/posts?status=published&page=2&page_size=50"},
}

var (
	dir        = os.Getenv("BENCH_DIR")
	state      = os.Getenv("BENCH_STATE")
	table      = flag.String("table", "contenders.tsv", "the table of contenders")
	only       = flag.String("w", "", "workloads, comma separated (default: all of each contender)")
	concs      = flag.String("c", "32,256", "connections")
	rounds     = flag.Int("r", 3, "rounds")
	duration   = flag.Int("d", 8, "seconds of each measurement")
	warm       = flag.Int("warm", 2, "seconds of warm-up")
	out        = flag.String("o", "run", "name of the result: BENCH_STATE/NAME.jsonl and results/NAME.md")
	doVerify   = flag.Bool("verify", false, "only check every contender's answers")
	binaries   = flag.Bool("binaries", false, "only print which programs of $BENCH_BIN the contenders need")
	doReport   = flag.Bool("report", false, "only write the report of -o")
	base       = flag.String("base", "", "contender the ratios are to (default: the first)")
	gate       = flag.Float64("gate", 0.25, "wait until other processes use less than this many cores")
	gateWait   = flag.Int("gatewait", 45, "seconds to wait for that at most, per measurement")
	retries    = flag.Int("retry", 1, "repeat a measurement during which others used more than -foreign cores")
	foreign    = flag.Float64("foreign", 0.30, "cores used by others above which a measurement is repeated")
	refill     = flag.Bool("refill", false, "measure only what -o lacks, or has with others above -foreign")
	profile    = flag.Bool("profile", false, "take a CPU profile of each measurement (Go contenders; needs BENCH_PPROF)")
	postBody   = "post_id=7&name=Ada+Lovelace&email=ada%40example.org&body=The+Analytical+Engine+weaves+algebraical+patterns+just+as+the+loom+weaves+flowers+and+leaves."
	jsonBody   = `{"post":"post00000000007","name":"Ada Lovelace","email":"ada@example.org","body":"The Analytical Engine weaves algebraical patterns just as the loom weaves flowers and leaves."}`
	client     = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	postmaster int
)

func load(file string) []contender {
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		log.Fatal(err)
	}
	var cs []contender
	for _, l := range strings.Split(string(b), "\n") {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		f := strings.Split(l, "|")
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		if len(f) < 4 {
			log.Fatalf("%s: want name | port | workloads | command: %s", file, l)
		}
		c := contender{Name: f[0], Port: f[1], Command: f[3], Paths: map[string]string{}}
		for _, w := range workloads {
			if f[2] == "*" || slices.Contains(strings.Fields(f[2]), w.Name) {
				c.Workloads = append(c.Workloads, w.Name)
			}
		}
		if len(f) > 4 {
			for _, p := range strings.Fields(f[4]) {
				k, v, _ := strings.Cut(p, "=")
				c.Paths[k] = v
			}
		}
		cs = append(cs, c)
	}
	return cs
}

type server struct {
	c       contender
	cmd     *exec.Cmd
	coldMS  float64
	idleRSS int
	idlePSS int
	log     *os.File
	ended   chan struct{}
}

func (c contender) path(w workload) string {
	if p := c.Paths[w.Name]; p != "" {
		return strings.TrimPrefix(p, "json:")
	}
	return w.Path
}

func (c contender) url(p string) string { return "http://127.0.0.1:" + c.Port + p }

// start runs the contender's command and waits for its first good answer.
func start(c contender, w workload) (*server, error) {
	if l, err := net.DialTimeout("tcp", "127.0.0.1:"+c.Port, 200*time.Millisecond); err == nil {
		l.Close()
		return nil, fmt.Errorf("port %s is taken", c.Port)
	}
	f, err := os.Create(filepath.Join(state, "logs", c.Name+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", "exec "+c.Command)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Env = append(os.Environ(), "BENCH_ADDR=127.0.0.1:"+c.Port, "PORT="+c.Port, "BENCH_WORKLOAD="+w.Name, "PYTHONDONTWRITEBYTECODE=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{c: c, cmd: cmd, log: f, ended: make(chan struct{})}
	go func() { cmd.Wait(); close(s.ended) }()
	running.Store(s)
	probe := c.path(w)
	if w.Post {
		probe = "/plaintext"
		if strings.HasPrefix(c.Paths[w.Name], "json:") {
			probe = "/api/health"
		}
	}
	for {
		r, err := client.Get(c.url(probe))
		if err == nil {
			r.Body.Close()
			if r.StatusCode < 400 {
				break
			}
		}
		select {
		case <-s.ended:
			err = fmt.Errorf("it ended, see %s", f.Name())
		case <-time.After(time.Millisecond):
			if time.Since(t) < 60*time.Second {
				continue
			}
		}
		s.stop()
		return nil, fmt.Errorf("%s did not answer %s: %v", c.Name, probe, err)
	}
	s.coldMS = float64(time.Since(t).Microseconds()) / 1000
	client.CloseIdleConnections()
	time.Sleep(400 * time.Millisecond)
	s.idleRSS, s.idlePSS = memory(cmd.Process.Pid, "VmRSS"), memory(cmd.Process.Pid, "Pss")
	return s, nil
}

// stop ends the process it started, and the group it put it in.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(8 * time.Second):
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
	}
	s.log.Close()
	for range 100 { // until its port is free again
		l, err := net.DialTimeout("tcp", "127.0.0.1:"+s.c.Port, 100*time.Millisecond)
		if err != nil {
			return
		}
		l.Close()
		time.Sleep(50 * time.Millisecond)
	}
}

// running is the server to stop when a signal ends this program.
var running atomic.Pointer[server]

type result struct {
	Contender, Workload                string
	Conc, Round                        int
	Requests                           int     `json:"requests"`
	DurationUS                         int     `json:"duration_us"`
	Bytes                              int     `json:"bytes"`
	P50                                int     `json:"p50_us"`
	P90                                int     `json:"p90_us"`
	P99                                int     `json:"p99_us"`
	Max                                int     `json:"max_us"`
	ErrConnect                         int     `json:"err_connect"`
	ErrRead                            int     `json:"err_read"`
	ErrWrite                           int     `json:"err_write"`
	ErrStatus                          int     `json:"err_status"`
	ErrTimeout                         int     `json:"err_timeout"`
	ServerCPU, ServerUser, PGCPU, WrkC float64 // seconds
	Foreign, Soft, Steal               float64 // cores
	ColdMS                             float64
	IdleRSS, IdlePSS, PeakRSS          int // KiB
	Time                               string
}

func (r result) rps() float64 { return float64(r.Requests) / (float64(r.DurationUS) / 1e6) }

// perK is a number of seconds as milliseconds per 1,000 requests.
func (r result) perK(sec float64) float64 { return sec * 1e6 / float64(max(r.Requests, 1)) }

// wait holds until the machine is quiet, or for gateWait seconds.
func wait() {
	end := time.Now().Add(time.Duration(*gateWait) * time.Second)
	for {
		a, t := system(), time.Now()
		time.Sleep(300 * time.Millisecond)
		b := system()
		if (b.busy-a.busy)/time.Since(t).Seconds() < *gate || time.Now().After(end) {
			return
		}
	}
}

func wrk(s *server, w workload, sess *session, conc, sec int) (result, error) {
	var res result
	args := []string{"-t1", "-c" + strconv.Itoa(conc), "-d" + strconv.Itoa(sec) + "s", "--timeout", "8s", "-s", filepath.Join(dir, "wrk/report.lua")}
	env := os.Environ()
	if sess != nil {
		args = append(args, "-H", "Cookie: "+sess.cookie())
	}
	if w.Post {
		env = append(env, "WRK_METHOD=POST")
		if strings.HasPrefix(s.c.Paths[w.Name], "json:") {
			env = append(env, "WRK_BODY="+jsonBody, "WRK_TYPE=application/json")
		} else {
			env = append(env, "WRK_BODY="+sess.form(postBody), "WRK_TYPE=application/x-www-form-urlencoded")
		}
	}
	cmd := exec.Command("wrk", append(args, s.c.url(s.c.path(w)))...)
	cmd.Env = env
	var o bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &o
	if err := cmd.Run(); err != nil {
		return res, fmt.Errorf("wrk: %v: %s", err, o.String())
	}
	i := bytes.Index(o.Bytes(), []byte("JSON {"))
	if i < 0 {
		return res, fmt.Errorf("wrk: %s", o.String())
	}
	err := json.Unmarshal(bytes.SplitN(o.Bytes()[i+5:], []byte("\n"), 2)[0], &res)
	res.WrkC = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return res, err
}

// measure runs one counted load.
func measure(s *server, w workload, sess *session, conc int) (result, error) {
	wait()
	resetPeak(s.cmd.Process.Pid)
	self := treeSelf()
	m0, t0, p0, c0 := system(), time.Now(), pgCPU(), treeCPU(s.cmd.Process.Pid)
	var prof chan struct{}
	if *profile {
		prof = make(chan struct{})
		go func() { takeProfile(s.c.Name+"-"+w.Name, *duration-2); close(prof) }()
	}
	r, err := wrk(s, w, sess, conc, *duration)
	c1, p1, m1 := treeCPU(s.cmd.Process.Pid), pgCPU(), system()
	sec := time.Since(t0).Seconds()
	if prof != nil {
		<-prof
	}
	if err != nil {
		return r, err
	}
	r.Contender, r.Workload, r.Conc = s.c.Name, w.Name, conc
	r.ServerCPU, r.ServerUser = c1.total-c0.total, c1.user-c0.user
	r.PGCPU = p1 - p0
	// Network softirqs run in, and are charged to, the processes that send.
	r.Foreign = (m1.busy - m0.busy + m1.soft - m0.soft - r.ServerCPU - r.PGCPU - r.WrkC - (treeSelf() - self)) / sec
	r.Soft, r.Steal = (m1.soft-m0.soft)/sec, (m1.steal-m0.steal)/sec
	r.ColdMS, r.IdleRSS, r.IdlePSS = s.coldMS, s.idleRSS, s.idlePSS
	r.PeakRSS = memory(s.cmd.Process.Pid, "VmHWM")
	r.Time = time.Now().UTC().Format(time.RFC3339)
	return r, nil
}

func treeSelf() float64 {
	s, _ := readStat(os.Getpid())
	return s.cpu
}

func takeProfile(name string, sec int) {
	a := os.Getenv("BENCH_PPROF")
	time.Sleep(time.Second)
	c := &http.Client{Timeout: time.Duration(sec+20) * time.Second}
	r, err := c.Get("http://" + a + "/debug/pprof/profile?seconds=" + strconv.Itoa(sec))
	if err != nil {
		log.Print(err)
		return
	}
	defer r.Body.Close()
	os.MkdirAll(filepath.Join(state, "prof"), 0o755)
	f, err := os.Create(filepath.Join(state, "prof", name+".pb.gz"))
	if err != nil {
		log.Print(err)
		return
	}
	defer f.Close()
	f.ReadFrom(r.Body)
}

func pgCPU() float64 {
	if postmaster == 0 {
		return 0
	}
	return treeCPU(postmaster).total
}

func findPostmaster() {
	f, err := os.Open(filepath.Join(os.Getenv("BENCH_PGDATA"), "postmaster.pid"))
	if err != nil {
		return
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	if sc.Scan() {
		postmaster, _ = strconv.Atoi(strings.TrimSpace(sc.Text()))
	}
}

func main() {
	log.SetFlags(log.Ltime)
	flag.Parse()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-stopped
		if s := running.Load(); s != nil {
			s.stop()
		}
		os.Exit(130)
	}()
	findPostmaster()
	all := load(*table)
	var cs []contender
	for _, name := range flag.Args() {
		i := slices.IndexFunc(all, func(c contender) bool { return c.Name == name })
		if i < 0 {
			log.Fatalf("no contender %q in %s", name, *table)
		}
		cs = append(cs, all[i])
	}
	if *doReport {
		if err := report(*out, cs, all); err != nil {
			log.Fatal(err)
		}
		return
	}
	if len(cs) == 0 {
		cs = all
	}
	if *binaries {
		printBinaries(cs)
		return
	}
	if *only != "" {
		for _, name := range strings.Split(*only, ",") {
			if !slices.ContainsFunc(workloads, func(w workload) bool { return w.Name == name }) {
				log.Fatalf("no workload %q", name)
			}
		}
	}
	if *doVerify {
		if !verifyAll(cs) {
			os.Exit(1)
		}
		return
	}
	var cc []int
	for _, s := range strings.Split(*concs, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			log.Fatal(err)
		}
		cc = append(cc, n)
	}
	o, err := os.OpenFile(filepath.Join(state, *out+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	enc := json.NewEncoder(o)
	have := map[cell]result{}
	if *refill {
		if have, err = read(*out); err != nil {
			log.Fatal(err)
		}
	}
	for _, w := range workloads {
		if !wanted(w) {
			continue
		}
		var in []contender
		for _, c := range cs {
			if slices.Contains(c.Workloads, w.Name) {
				in = append(in, c)
			}
		}
		for round := 1; round <= *rounds; round++ {
			for i := range in { // a different one goes first each round
				c := in[(i+(round-1)*max(1, len(in) / *rounds))%len(in)]
				need := slices.DeleteFunc(slices.Clone(cc), func(n int) bool {
					r, ok := have[cell{key{c.Name, w.Name, n}, round}]
					return ok && r.Foreign < *foreign && r.Requests > 0
				})
				if len(need) == 0 {
					continue
				}
				if err := one(enc, c, w, need, round); err != nil {
					log.Printf("%s %s: %v", c.Name, w.Name, err)
				}
			}
		}
	}
	if err := report(*out, nil, all); err != nil {
		log.Fatal(err)
	}
}

// wanted reports whether -w leaves the workload in.
func wanted(w workload) bool {
	return *only == "" || slices.Contains(strings.Split(*only, ","), w.Name)
}

var binary = regexp.MustCompile(`\$BENCH_BIN/(\S+)`)

// printBinaries lets run.sh build no more than it must.
func printBinaries(cs []contender) {
	var names []string
	for _, c := range cs {
		if m := binary.FindStringSubmatch(c.Command); m != nil && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
			fmt.Println(m[1])
		}
	}
}

func one(enc *json.Encoder, c contender, w workload, cc []int, round int) error {
	if w.Name == "create" || w.Name == "updates" {
		if b, err := exec.Command(filepath.Join(os.Getenv("BENCH_BIN"), "seed"), "reset").CombinedOutput(); err != nil {
			return fmt.Errorf("reset: %v %s", err, b)
		}
	}
	s, err := start(c, w)
	if err != nil {
		return err
	}
	defer s.stop()
	var sess *session
	if w.Session && c.Paths[w.Name] == "" {
		if sess, err = openSession(c); err != nil {
			return err
		}
	}
	if _, err := wrk(s, w, sess, cc[0], *warm); err != nil {
		return err
	}
	for _, n := range cc {
		var best result
		for try := 0; try <= *retries; try++ {
			r, err := measure(s, w, sess, n)
			if err != nil {
				return err
			}
			if best.Requests == 0 || r.Foreign < best.Foreign && r.Requests > 0 {
				best = r
			}
			if best.Foreign < *foreign {
				break
			}
		}
		if best.Requests == 0 {
			return errors.New("no request was answered")
		}
		best.Round = round
		log.Printf("%-10s r%d c%-3d %-16s %8.0f req/s  %8.1f ms/1k (pg %.1f)  p50 %.2f p99 %.2f ms  others %.2f cores  errors %d",
			w.Name, round, n, c.Name, best.rps(), best.perK(best.ServerCPU), best.perK(best.PGCPU), float64(best.P50)/1000, float64(best.P99)/1000, best.Foreign, best.ErrStatus+best.ErrRead+best.ErrTimeout+best.ErrConnect)
		if err := enc.Encode(best); err != nil {
			return err
		}
	}
	return nil
}
