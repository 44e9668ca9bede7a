// Runs axe-core on every page of examples/blog and examples/proving in Chromium: as a
// visitor, as a user and as staff, at two widths, light and dark. It fails if a page has
// violations, scrolls sideways, or breaks its own Content-Security-Policy.
//
//   node axe.mjs [--screenshots FOLDER] [--only blog|proving]
//
// CHROMIUM names the browser; default: chromium. The programs are built with go and
// keep what they write in a temporary folder.
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
    await Promise.all([p.waitForNavigation(), p.evaluate(() => [...document.querySelectorAll("main form")].at(-1).querySelector("button").click())]);
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
        page("/lab/fail/error"), ...entrance] },
      { name: "user", email: "ann@proving.example", pages: [page("/"), page("/notes"), page("/notes/new"), wrong("/notes/new"), first("/notes", "^/notes/[0-9]+$"), page("/notes/1/edit"),
        page("/notes/1/delete"), page("/files"), wrong("/files"), page("/posts/new"), ...account] },
      { name: "staff", email: "staff@proving.example", pages: [page("/"), page("/posts/new"), wrong("/posts/new"), page("/posts/40"), page("/posts/40/edit")] },
    ],
  },
};

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
  await Promise.all([p.waitForNavigation(), p.evaluate(() => [...document.querySelectorAll("main form")].at(-1).querySelector("button").click())]);
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
  const program = join(folder, name);
  execFileSync("go", ["build", "-o", program, "./examples/" + name], { cwd: root, stdio: "inherit" });
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
    env: { ...process.env, ...sites[name].env, DATABASE_URL: "", RETORT_ADDR: "127.0.0.1:" + port, RETORT_BASE_URL: base, SECRET_KEY: "a key of this run only, and of no other" },
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
    const { base, child } = await start(name, folder);
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
          await one.open(p, base);
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
