// Runs axe-core on every page of examples/blog and examples/proving in Chromium: as a
// visitor, as a user and as staff, and on the error pages of debug mode, at two widths,
// light and dark. It fails if a page has violations, scrolls sideways, or breaks its own
// Content-Security-Policy.
//
//   node axe.mjs [--screenshots FOLDER] [--only blog|proving|blog-debug|proving-debug]
//
// CHROMIUM names the browser; default: chromium. The programs are built with go and
// keep what they write in a temporary folder.
import { spawn, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";

const { values: flags } = parseArgs({ options: { screenshots: { type: "string" }, only: { type: "string" } } });
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const widths = [1366, 390];
const schemes = ["light", "dark"];
const password = "slow bread and old chairs";
const patience = 120_000; // for what should happen, in milliseconds

// A page is an address, or a function that leads to it; its name is that of a screenshot.
const page = (path) => ({ name: path, open: (p, base) => p.goto(base + path) });
// wrong is a form that was sent empty, so that it shows its errors.
const wrong = (path) => ({
  name: path + "-wrong",
  open: async (p, base) => {
    await p.goto(base + path);
    await p.evaluate(() => {
      const form = [...document.querySelectorAll("main form")].at(-1);
      form.noValidate = true;
      for (const field of form.querySelectorAll("input:not([type=hidden]), textarea")) field.value = "";
    });
    await Promise.all([p.waitForNavigation(), p.evaluate(() => [...document.querySelectorAll("main form")].at(-1).querySelector("button:not([type=button])").click())]);
  },
});
const first = (list, pattern) => ({
  name: list + "-first",
  open: async (p, base) => {
    await p.goto(base + list);
    const path = await p.$$eval("main a", (links, pattern) => links.map((a) => a.getAttribute("href")).find((h) => h?.match(pattern)), pattern);
    await p.goto(base + path);
  },
});

// mailed is the page behind a link of a mail, which is asked for by a form.
const mailed = (name, ask, fields, link) => ({
  name,
  open: async (p, base, mails) => {
    const before = new Set(readMails(mails));
    await p.goto(base + ask);
    for (const [field, value] of Object.entries(fields())) await p.type(`main form [name=${field}]`, value);
    await send(p);
    for (const deadline = Date.now() + patience; ;) {
      const found = readMails(mails).filter((m) => !before.has(m)).map((m) => m.match(link)?.[0]).find(Boolean);
      if (found) return p.goto(found);
      if (Date.now() > deadline) throw new Error(`no mail for ${name}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  },
});

// readMails returns the texts of the mails in a folder.
function readMails(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".eml"))
    .map((name) => readFileSync(join(folder, name), "utf8").replaceAll(/=\r?\n/g, "").replaceAll("=3D", "="));
}

// after is the page that a form leads to.
const after = (path, button, fields = () => ({})) => ({
  name: path + "-sent",
  open: async (p, base) => {
    await p.goto(base + path);
    for (const box of await p.$$("main form [type=checkbox]")) await box.click();
    for (const [field, value] of Object.entries(fields())) await p.type(`main form [name=${field}]`, value);
    await press(p, button);
  },
});

async function press(p, text) {
  const button = await p.$(`xpath///button[normalize-space()="${text}"]`);
  await Promise.all([p.waitForNavigation(), button.evaluate((b) => b.click())]);
}

// codeOf is what an authenticator app shows now (RFC 6238), or some steps later.
function codeOf(secret, later = 0) {
  const bits = [...secret.replaceAll(" ", "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const sum = createHmac("sha1", key).update(step).digest();
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// recoveryCodes switches a second factor on and stays on the page of the recovery
// codes, which can be opened once; so that is examined at all widths as it is.
const recoveryCodes = {
  name: "/second-factor-codes",
  open: async (p, base) => {
    if (await p.$("main ul.codes")) return;
    await p.goto(base + "/second-factor");
    const secret = await p.$eval("main code", (c) => c.textContent);
    await p.type("main form [name=code]", codeOf(secret));
    await press(p, "Switch it on");
    if (!await p.$("main ul.codes")) throw new Error(`no recovery codes on ${p.url()}`);
  },
};

// secondStep is the page for the code, between a password and a login.
const secondStep = (email) => ({
  name: "/login/code",
  open: async (p, base) => {
    await p.goto(base + "/profile");
    if (new URL(p.url()).pathname === "/profile") await press(p, "Log out");
    await p.goto(base + "/login");
    await p.type("[name=email]", email);
    await p.type("[name=password]", password);
    await send(p);
    if (new URL(p.url()).pathname !== "/login/code") throw new Error(`no code is asked for on ${p.url()}`);
  },
});

let counter = 0;
const account = ["/profile", "/password/change", "/email/change", "/sessions", "/second-factor", "/account/delete"].map(page);
const entrance = [page("/login"), wrong("/login"), page("/signup"), wrong("/signup"), page("/password/reset"), page("/nothing/here")];

const sites = {
  blog: {
    arguments: [],
    env: { BLOG_DEMO_PASSWORD: password },
    roles: [
      { name: "visitor", pages: [page("/"), page("/?page=2"), page("/search?q=salt"), page("/search?q=nothing-of-that"), page("/tags/bread"), page("/authors/ines-varga"),
        first("/", "^/posts/[a-z]"), ...entrance] },
      { name: "author", email: "demo@blog.example", before: writePosts, pages: [page("/"), page("/drafts"), page("/posts/new"), wrong("/posts/new"), page("/posts/mine"),
        wrong("/posts/mine"), page("/posts/mine/edit"), page("/posts/mine/delete"), ...account] },
    ],
  },
  proving: {
    arguments: ["--reset"],
    env: { PROVING_PASSWORD: password },
    roles: [
      { name: "visitor", pages: [page("/"), page("/?q=nothing-of-that"), page("/posts/1"), wrong("/posts/1"), page("/contact"), wrong("/contact"), page("/lab/"), page("/login/link"),
        page("/lab/fail/error"), page("/lab/guests"), wrong("/lab/guests"), page("/lab/steps"), wrong("/lab/steps"), ...entrance,
        after("/password/reset", "Send the link", () => ({ email: "nobody@proving.example" })), page("/login/link"), wrong("/login/link"), wrong("/password/reset"),
        page("/verify/of-nobody"), page("/password/reset/of-nobody"), page("/login/link/of-nobody"), page("/password/new")] },
      { name: "mailed", pages: [
        mailed("/password/new-open", "/password/reset", () => ({ email: "bob@proving.example" }), /http:\/\/\S+\/password\/reset\/\S+/),
        mailed("/login/link-open", "/login/link", () => ({ email: "spare@proving.example" }), /http:\/\/\S+\/login\/link\/\S+/),
        mailed("/verify-open", "/signup", () => ({ email: `new${counter++}@example.com`, name: "New", password }), /http:\/\/\S+\/verify\/\S+/)] },
      { name: "user", email: "ann@proving.example", pages: [page("/"), page("/notes"), page("/notes/new"), wrong("/notes/new"), first("/notes", "^/notes/[0-9]+$"), page("/notes/1/edit"),
        page("/notes/1/delete"), page("/notes/all"), wrong("/notes/all"), page("/files"), wrong("/files"), page("/posts/new"), ...account, wrong("/password/change"),
        wrong("/email/change"), after("/second-factor", "Codes by mail to a…@proving.example"), wrong("/account/delete"), page("/tokens"), wrong("/tokens"),
        mailed("/email/confirm-open", "/email/change", () => ({ email: `other${counter++}@example.com` }), /http:\/\/\S+\/email\/confirm\/\S+/)] },
      { name: "careful", email: "admin@proving.example", pages: [after("/tokens", "Make a token", () => ({ name: `of a browser ${counter++}`, days: "30" })), recoveryCodes, page("/second-factor"), secondStep("admin@proving.example"), wrong("/login/code")] },
      { name: "staff", email: "staff@proving.example", pages: [page("/"), page("/posts/new"), wrong("/posts/new"), page("/posts/40"), page("/posts/40/edit")] },
    ],
  },
};

// The same in debug mode, where a developer gets pages of another kind.
sites["blog-debug"] = { ...sites.blog, program: "blog", debug: true, roles: [
  { name: "developer", email: "demo@blog.example", pages: [page("/"), page("/posts/new"), page("/nothing/here")] },
] };
sites["proving-debug"] = { ...sites.proving, program: "proving", debug: true, roles: [
  { name: "developer", pages: [page("/"), page("/nothing/here"), ...["error", "handler", "template", "database"].map((what) => page("/lab/fail/" + what))] },
] };

// writePosts gives the author a post and a draft.
async function writePosts(p, base) {
  for (const [slug, status] of [["mine", "live"], ["waiting", "draft"]]) {
    await p.goto(base + "/posts/new");
    await p.type("[name=title]", "Written in a browser");
    await p.type("[name=summary]", "One sentence.");
    await p.type("[name=body]", "First.\n\nSecond, with https://example.com/a/rather/long/address/that/has/to/break/somewhere/on/a/narrow/screen.");
    await p.type("[name=slug]", slug);
    await p.select("[name=status]", status);
    await send(p);
  }
}

async function send(p) {
  await Promise.all([p.waitForNavigation(), p.evaluate(() => [...document.querySelectorAll("main form")].at(-1).querySelector("button:not([type=button])").click())]);
}

async function logIn(p, base, email) {
  await p.goto(base + "/login");
  await p.type("[name=email]", email);
  await p.type("[name=password]", password);
  await Promise.all([p.waitForNavigation(), p.click("main form button")]);
  if (new URL(p.url()).pathname !== "/") throw new Error(`${email} could not log in: ${p.url()}`);
}

// start builds and runs an example, and waits until it answers.
async function start(name, folder) {
  const { program: example = name, debug } = sites[name];
  const program = join(folder, "program");
  mkdirSync(folder);
  execFileSync("go", ["build", "-o", program, "./examples/" + example], { cwd: root, stdio: "inherit" });
  const port = await new Promise((done) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
  const base = "http://127.0.0.1:" + port;
  let log = "";
  const child = spawn(program, sites[name].arguments, {
    cwd: folder,
    env: { ...process.env, ...sites[name].env, DATABASE_URL: "", RETORT_ADDR: "127.0.0.1:" + port, RETORT_BASE_URL: base, RETORT_DEBUG: debug ? "yes" : "", SECRET_KEY: "a key of this run only, and of no other" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (d) => { log += d; });
  for (const deadline = Date.now() + patience; ;) {
    try {
      await fetch(base + "/");
      return { base, child };
    } catch (err) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name} does not serve: ${err}\n${log}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

// examine returns what is wrong with the page that is open.
async function examine(p, policy) {
  const found = [];
  await p.evaluate(axe);
  const result = await p.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const v of result.violations) for (const n of v.nodes) found.push(`${v.id}: ${v.help}\n      ${n.html}\n      ${n.any.concat(n.all, n.none).map((c) => c.message).join("; ")}`);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) found.push(`the page is ${wide} pixels wider than the window`);
  return found.concat(policy.splice(0));
}

const folder = mkdtempSync(join(tmpdir(), "retort-axe-"));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser || command -v google-chrome"], { encoding: "utf8" }).trim(),
  args: ["--no-sandbox", "--disable-dev-shm-usage"], timeout: patience, protocolTimeout: patience,
});
let pages = 0, faults = 0;
const running = [];
try {
  for (const [name, site] of Object.entries(sites).filter(([name]) => !flags.only || flags.only === name)) {
    const own = join(folder, name);
    const { base, child } = await start(name, own);
    running.push(child);
    for (const role of site.roles) {
      const context = await browser.createBrowserContext();
      const p = await context.newPage();
      p.setDefaultTimeout(patience);
      const policy = [];
      p.on("console", (m) => { if (/Content.Security.Policy/i.test(m.text())) policy.push("policy: " + m.text()); });
      if (role.email) await logIn(p, base, role.email);
      await role.before?.(p, base);
      for (const one of role.pages) {
        for (const width of widths) {
          await p.setViewport({ width, height: 900 });
          await one.open(p, base, join(own, "proving-data", "mails"));
          for (const scheme of schemes) {
            await p.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
            pages++;
            for (const fault of await examine(p, policy)) {
              faults++;
              console.log(`${name} ${one.name} (${role.name}, ${width}, ${scheme})\n    ${fault}`);
            }
            if (flags.screenshots) {
              mkdirSync(flags.screenshots, { recursive: true });
              const file = `${name}-${role.name}${one.name.replaceAll(/[^a-z0-9]+/gi, "_")}-${width}-${scheme}.png`;
              await p.screenshot({ path: join(flags.screenshots, file), fullPage: true });
            }
          }
        }
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  for (const child of running) child.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
console.log(`${pages} pages, ${faults} faults`);
process.exitCode = faults > 0 || pages === 0 ? 1 : 0;
