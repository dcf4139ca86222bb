/**
 * <consent-form form="…">: a sign-up form of consentledger in any page; docs/embed.md tells all of it.
 *
 * What stands between the tags is shown until the form is there, and for good if it never comes. No cookie, no
 * storage, no request but for the form. Elements and style sheets are made by script, never from text: a page needs
 * neither 'unsafe-inline' nor a Trusted Types policy.
 */

const BASE = new URL(import.meta.url).origin;
const PATIENCE = 20_000; // ms for one answer
const LANES = 8; // candidates at a time

// Blocks and single lines of boxes, no grids: a slow telephone lays them out in one go.
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host(:not([hidden])) { display: block; }
.form { --i: #1c1d1f; --p: #fff; --e: #a4161a; }
@supports (color: light-dark(#000, #fff)) {
  .form { --i: light-dark(#1c1d1f, #eceae6); --p: light-dark(#fff, #1b1d20); --e: light-dark(#a4161a, #ffaba3); }
}
.form {
  --ink: var(--consent-ink, var(--i));
  --paper: var(--consent-paper, var(--p));
  --muted: var(--consent-muted, color-mix(in srgb, var(--ink) 74%, transparent));
  --line: var(--consent-line, color-mix(in srgb, var(--ink) 17%, transparent));
  --accent: var(--consent-accent, var(--fill, #1d5b79));
  --rim: var(--consent-accent, var(--edge, #1d5b79));
  --error: var(--consent-error, var(--e));
  --radius: var(--consent-radius, 10px);
  padding: clamp(14px, 5%, 28px);
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--paper);
  color: var(--ink);
  font-family: var(--consent-font, inherit);
  font-weight: 400;
  line-height: 1.5;
  letter-spacing: normal;
  text-align: left;
  text-transform: none;
  white-space: normal;
  overflow-wrap: anywhere;
  hyphens: auto;
}
* { box-sizing: border-box; min-inline-size: 0; }
p, h2, dl, dd, fieldset, legend { margin: 0; padding: 0; border: 0; font: inherit; }
[dir=rtl] { text-align: right; }
p, h2, label, legend, .error { unicode-bidi: plaintext; }
h2 { font-size: 1.25em; font-weight: 600; }
a { color: inherit; }
a, summary { display: inline-block; padding-block: 11px; min-block-size: 44px; text-underline-offset: .18em; }
summary { display: list-item; inline-size: fit-content; cursor: pointer; text-decoration: underline; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; border-radius: 4px; }
[tabindex="-1"]:focus { outline: none; }
.form > * + * { margin-block-start: var(--consent-gap, 20px); }
.field > * + *, .boxes > * + *, .done > * + *, .details > * + *, .message > * + * { margin-block-start: 10px; }
.label, legend, .title, .error, .message { font-weight: 600; }
.quiet, .details, .foot { color: var(--muted); font-weight: 400; }
.details, .foot { font-size: .9em; }
.input, .button {
  inline-size: 100%; min-block-size: 48px; padding: 9px 13px;
  border-radius: var(--radius); font: inherit; text-align: start;
}
.input { border: 1px solid var(--muted); background: var(--paper); color: inherit; }
.input[aria-invalid] { border: 2px solid var(--error); }
.box {
  padding: 6px 14px; border: 1px solid var(--line); border-radius: var(--radius);
  background: color-mix(in srgb, var(--ink) 3%, transparent);
}
.choice { display: flex; gap: 12px; padding-block: 8px; cursor: pointer; }
.choice input { flex: none; inline-size: 24px; block-size: 24px; margin: 0; accent-color: var(--rim); cursor: inherit; }
.choice > span { flex: 1; }
.title, .statement { display: block; }
.statement, .text, .foot { white-space: pre-line; }
.details { padding-inline-start: 36px; }
dl { display: flex; flex-wrap: wrap; gap: 10px; }
dl > div { flex: 1 1 9em; }
.details dd, .text { color: var(--ink); }
.button {
  border: 2px solid var(--rim); background: var(--accent); color: var(--consent-on-accent, var(--on-fill, #fff));
  font-weight: 600; line-height: 1.25; text-align: center; cursor: pointer;
}
.button:hover { box-shadow: 0 0 0 2px var(--paper), 0 0 0 4px var(--rim); }
.button[aria-disabled] { cursor: progress; opacity: .7; }
.second { border: 1px solid var(--muted); background: none; color: var(--ink); }
.error, .message { color: var(--error); }
.status { color: inherit; }
.message:empty { margin: 0; }
.foot { padding-block-start: 12px; border-block-start: 1px solid var(--line); margin-block-end: -8px; }
.foot p { display: flex; flex-wrap: wrap; column-gap: 18px; }
`);

/** An element; null attributes and children are left out, a part is a class, too. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value != null) made.setAttribute(name, value);
    if (name === "part") made.className = value;
  }
  made.append(...children.flat(9).filter((child) => child != null));
  return made;
}

/** A link that opens beside the page; null unless it is to the web or a mailbox. */
function link(address, text) {
  if (!/^(https?|mailto):/.test(address ?? "")) return null;
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** Never throws; status 0: no answer in time; after: seconds until one may try again. */
async function call(address, post, controller = new AbortController()) {
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  try {
    const answer = await fetch(address, {
      method: post ? "POST" : "GET",
      headers: { Accept: "application/json", ...(post && { "Content-Type": "application/json" }) },
      body: post && JSON.stringify(post),
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      signal: controller.signal,
    });
    const text = await answer.text();
    const body = answer.ok || /json/.test(answer.headers.get("Content-Type")) ? JSON.parse(text) : {};
    return { status: answer.status, body, after: Number(answer.headers.get("Retry-After")) || null };
  } catch {
    return { status: 0, body: {}, after: null };
  } finally {
    clearTimeout(timer);
  }
}

/** What a problem (RFC 9457) says is wrong. */
function wrong({ status, body }) {
  const { field = null, reason } = body.errors?.[0] ?? {};
  return { field, reason: reason || /[^:]*$/.exec(body.type ?? "")[0] || (status ? `http_${status}` : "offline") };
}

/** Solves an ALTCHA challenge (version 2); the browser computes beside the main thread, so typing stays smooth. */
async function solve(challenge) {
  const { algorithm, nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const kdf = { name: "PBKDF2", hash: algorithm.split("/")[1], salt: bytes(salt), iterations: cost };
  const derive = async (counter) => {
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    new DataView(password.buffer).setUint32(password.length - 4, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const bits = new Uint8Array(await crypto.subtle.deriveBits(kdf, key, keyLength * 8));
    const derivedKey = Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return derivedKey.startsWith(keyPrefix) ? { counter, derivedKey } : null;
  };
  for (let first = 0; ; first += LANES) {
    const tried = await Promise.all(Array.from({ length: LANES }, (_, lane) => derive(first + lane)));
    const solution = tried.find(Boolean);
    if (solution) return btoa(JSON.stringify({ challenge, solution }));
  }
}

class ConsentForm extends HTMLElement {
  static observedAttributes = ["form", "lang", "email", "name"];

  #shadow = this.attachShadow({ mode: "open" });
  #asking = null; // AbortController while the form is asked for
  #asked = 0; // how often in vain
  #form = null; // form.json as shown
  #fresh = null; // the same with the newest token
  #at = 0; // when that came
  #work = null; // promise of its solution
  #posts = 0; // with its token
  #busy = false;
  #later = false; // an attribute changed
  #inputs = new Map(); // by the field's name
  #boxes = [];
  #nodes = {};

  constructor() {
    super();
    this.#shadow.adoptedStyleSheets = [SHEET];
    this.#shadow.append(make("slot"));
  }

  connectedCallback() {
    if (!this.#form) this.#soon();
  }

  disconnectedCallback() {
    // Not when it is only moved.
    queueMicrotask(() => this.isConnected || this.#asking?.abort());
  }

  attributeChangedCallback(name, before, value) {
    if (name === "form" || name === "lang") {
      if (before !== value && this.isConnected) this.#soon();
    } else {
      const input = this.#inputs.get(name);
      if (input?.value === (before ?? "")) input.value = value ?? ""; // never over what a person typed
    }
  }

  /** Once however many attributes change in one go, and never under a running post. */
  #soon() {
    if (this.#later) return;
    this.#later = true;
    queueMicrotask(() => this.#busy || this.#load());
  }

  async #load() {
    this.#later = false;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const answer = await call(this.#address(), null, asking);
    if (asking !== this.#asking || !this.isConnected) return;
    if (answer.status === 200) {
      this.#asked = 0;
      this.#show(answer.body);
      this.#tell("ready", this.#facts());
      return;
    }
    if (!this.#form || answer.status) {
      this.#form = null;
      // Shown where nothing stands between the tags: the way to the form's own page.
      this.#shadow.replaceChildren(make("slot", {}, link(this.#hosted(), this.#hosted())));
    }
    this.#tell("error", { ...wrong(answer), status: answer.status, retry_after: answer.after });
    if (this.#asked < 3 && (!answer.status || answer.status === 429 || answer.status >= 500)) {
      this.#asked += 1;
      const pause = Math.max(4 ** this.#asked, answer.after) * 1000; // 4, 16, 64 s
      setTimeout(() => asking === this.#asking && this.isConnected && this.#load(), pause);
    }
  }

  #hosted() {
    return `${BASE}/f/${encodeURIComponent(this.getAttribute("form") ?? "")}`;
  }

  /** In the language given, of what stands around, or of the browser. */
  #address(language) {
    let near = null;
    for (let at = this; at && !near; at = at.getRootNode().host) near = at.closest("[lang]");
    return `${this.#hosted()}/form.json?lang=${encodeURIComponent(language || near?.lang || navigator.language)}`;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`consent-${name}`, { detail, bubbles: true, composed: true }));
  }

  #facts() {
    const { form, version, language } = this.#form;
    return { form, version, language };
  }

  #take(form) {
    [this.#fresh, this.#at, this.#posts, this.#work] = [form, performance.now(), 0, null];
  }

  /** What was typed stays; what was ticked does not, for it may mean something else now. */
  #show(form) {
    const before = (name) =>
      this.#inputs.get(name)?.value ?? this.querySelector(`input[name="${name}"]`)?.value;
    const given = (name) => /^(email|name)$/.test(name) && this.getAttribute(name);
    const typed = new Map(form.fields.map(({ name }) => [name, before(name) || given(name) || ""]));
    const held = this.contains(document.activeElement) && document.activeElement.name;
    this.#form = form;
    this.#take(form);
    this.#shadow.replaceChildren(this.#card(form, typed));
    this.#inputs.get(held)?.focus(); // somebody was typing in the plain form between the tags
  }

  #card(form, typed) {
    const { words } = form;
    this.#inputs = new Map();
    this.#nodes = {
      trap: make("input", { name: form.honeypot, tabindex: -1, autocomplete: "off", "data-1p-ignore": "" }),
      button: make("button", { part: "button", type: "submit" }, words.button),
      message: make("div", { part: "message", role: "alert", tabindex: -1 }),
      status: make("p", { part: "message status", role: "status" }),
    };
    this.#boxes = form.boxes.map((box) => this.#box(box, words));
    const card = this.#frame("form", form, [
      make("p", { part: "lead" }, words.lead),
      form.fields.map((field) => this.#field(field, typed.get(field.name), words)),
      make("fieldset", { part: "boxes", "aria-describedby": "purpose-error" },
        make("legend", {}, words.legend), this.#error("purpose"), this.#boxes.map((box) => box.shown)),
      make("div", { hidden: "" }, this.#nodes.trap),
      this.#nodes.message,
      this.#nodes.status,
      this.#nodes.button,
    ]);
    card.noValidate = true;
    card.onsubmit = (event) => this.#submit(event);
    card.addEventListener("focusin", () => this.#begin());
    return card;
  }

  /** The card, with who is responsible below. */
  #frame(tag, form, content) {
    const { sender, words } = form;
    const card = make(tag, { part: "form", lang: words.language, dir: form.direction },
      content,
      make("div", { part: "foot" },
        make("div", { translate: "no", dir: "auto" },
          [sender.legal_name, sender.postal_address, sender.country, sender.contact_phone ?? ""].join("\n").trim()),
        make("p", {},
          link(`mailto:${sender.contact_email}`, sender.contact_email),
          link(sender.privacy_url, words.privacy),
          link(form.stop, words.stop))));
    for (const [name, [light, dark]] of Object.entries(sender.colours ?? {})) {
      const both = `light-dark(${light}, ${dark})`;
      card.style.setProperty(`--${name}`, CSS.supports("color", both) ? both : light);
    }
    return card;
  }

  #field(field, value, words) {
    const input = make("input", {
      id: field.name, name: field.name, type: field.type, autocomplete: field.autocomplete,
      part: "input", "aria-describedby": `${field.name}-error`,
      ...(field.type === "email"
        ? { inputmode: "email", autocapitalize: "none", spellcheck: "false", dir: "ltr", maxlength: 254 }
        : { dir: "auto", maxlength: 200 }),
      "aria-required": field.required ? "true" : null,
    });
    input.value = value;
    this.#inputs.set(field.name, input);
    return make("div", { part: "field" },
      make("label", { part: "label", for: field.name }, field.label,
        field.required ? null : make("span", { class: "quiet" }, ` ${words.optional}`)),
      this.#error(field.name),
      input);
  }

  #error(name) {
    const made = make("div", { part: "error", role: "alert", id: `${name}-error`, hidden: "" });
    this.#nodes[`error:${name}`] = made;
    return made;
  }

  /** One purpose; what was published counts, so a browser does not translate it. */
  #box(box, words) {
    const check = make("input", { type: "checkbox", name: "purpose", value: box.purpose, part: "checkbox" });
    const said = { translate: "no", lang: box.language, dir: "auto" };
    const notice = [
      box.notice_text && make("div", { class: "text", ...said }, box.notice_text),
      link(box.notice_url, words.notice_link),
    ];
    const shown = make("div", { part: "box" },
      make("label", { class: "choice" }, check,
        make("span", said,
          make("span", { part: "title" }, box.title),
          make("span", { part: "statement" }, box.statement))),
      make("div", { part: "details" },
        make("p", said, box.withdrawal),
        make("dl", {},
          make("div", {}, make("dt", {}, words.how), make("dd", {}, box.channel)),
          make("div", {}, make("dt", {}, words.responsible),
            make("dd", { class: "text", ...said }, box.controllers.join("\n")))),
        box.notice_text ? make("details", {}, make("summary", {}, words.notice), notice) : notice[1]));
    return { check, shown };
  }

  /** Says what is wrong at its field, else above the button, and leads there; without words: all is well. */
  #complain(name, text) {
    for (const [key, node] of Object.entries(this.#nodes)) {
      if (key.startsWith("error:")) {
        node.hidden = key !== `error:${name}`;
        node.textContent = node.hidden ? "" : text;
      }
    }
    for (const [field, input] of this.#inputs) {
      if (field === name) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    const at = this.#inputs.get(name) ?? (name === "purpose" ? this.#boxes[0].check : null);
    const above = at || !text ? [] : [make("p", {}, text)];
    this.#nodes.message.replaceChildren(...above);
    if (text) (at ?? this.#nodes.message).focus();
  }

  #say(text) {
    this.#nodes.status.textContent = text;
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#busy) return;
    const { words } = this.#form;
    this.#complain();
    const email = this.#inputs.get("email");
    if (email && !/\S@\S/.test(email.value)) return this.#complain("email", words.error_email);
    if (!this.#boxes.some(({ check }) => check.checked)) return this.#complain("purpose", words.error_purpose);
    this.#busy = true;
    this.#nodes.button.setAttribute("aria-disabled", "true"); // not `disabled`: it would lose the focus
    this.#say(words.sending);
    const answer = await this.#send();
    this.#busy = false;
    this.#nodes.button.removeAttribute("aria-disabled");
    this.#say("");
    if (answer?.status === 202) this.#done(answer.body);
    else if (answer) this.#refused(answer);
    if (this.#later) this.#load();
  }

  /** Posts, and does what the service asks for: wait, work, a fresh token; null: the person has been told. */
  async #send() {
    let answer = null;
    for (let turn = 0; turn < 4; turn += 1) {
      const old = performance.now() - this.#at > (this.#fresh.expires_in - 120) * 1000 || this.#posts > 3;
      if (old && !(await this.#renew())) return null;
      const work = await this.#worked();
      if (work === null) return { status: -1, body: {}, after: null };
      const rest = this.#at + this.#fresh.wait * 1000 + 50 - performance.now();
      if (rest > 0) await new Promise((go) => setTimeout(go, rest));
      this.#posts += 1;
      answer = await call(this.#fresh.action, this.#post(work));
      const { field, reason } = wrong(answer);
      if (answer.body.work) {
        this.#fresh = { ...this.#fresh, work: answer.body.work };
        this.#work = null;
      } else if (reason === "too_fast") {
        this.#at = performance.now();
      } else if (field === "token" || reason === "form_changed") {
        if (!(await this.#renew())) return null;
      } else {
        break;
      }
    }
    return answer;
  }

  #post(work) {
    return {
      ...Object.fromEntries([...this.#inputs].map(([name, input]) => [name, input.value])),
      purpose: this.#boxes.filter(({ check }) => check.checked).map(({ check }) => check.value),
      version: this.#form.version,
      hash: this.#form.hash,
      token: this.#fresh.token,
      source: "element",
      page: location.origin + location.pathname,
      [this.#form.honeypot]: this.#nodes.trap.value,
      ...(work && { work }),
    };
  }

  /** A fresh token: true when the form says the same; else what it says now is shown, and the person decides. */
  async #renew() {
    const answer = await call(this.#address(this.#form.language));
    if (answer.status !== 200) {
      this.#refused(answer);
      return false;
    }
    if (answer.body.version === this.#form.version && answer.body.hash === this.#form.hash) {
      this.#take(answer.body);
      return true;
    }
    this.#show(answer.body);
    this.#complain(null, answer.body.words.error_changed);
    this.#tell("error", { reason: "form_changed", field: null, status: 409, retry_after: null });
    return false;
  }

  /** Begins the work when a person begins to fill in the form. */
  #begin() {
    const challenge = this.#fresh.work?.challenge;
    if (challenge) this.#work ??= solve(challenge).catch(() => null);
  }

  /** Undefined: none is asked for; null: this browser cannot (a page without https). */
  async #worked() {
    if (!this.#fresh.work) return undefined;
    this.#say(this.#form.words.working);
    this.#begin();
    const work = await this.#work;
    this.#say(this.#form.words.sending);
    return work;
  }

  #refused(answer) {
    const { words } = this.#form;
    const { status, after } = answer;
    const { field, reason } = status < 0 ? { field: null, reason: "work" } : wrong(answer);
    if (field === "website") this.#nodes.trap.value = ""; // a browser's autofill fell into it
    if (field === "purpose" || this.#inputs.has(field)) {
      this.#complain(field, words[`error_${reason}`] ?? words[`error_${field}`] ?? words.error_again);
    } else {
      const when = after && new Intl.RelativeTimeFormat(words.language).format(Math.ceil(after / 60), "minute");
      const text =
        status === 429 ? words.error_limit + (when ? ` (${when})` : "")
        : status === 404 || reason === "paused" ? words.error_paused
        : status === 0 || status >= 500 ? words.error_offline
        : status < 0 ? words.error_work
        : words.error_again;
      this.#complain(null, text);
      if (status !== 429 && status !== 404) this.#nodes.message.append(this.#elsewhere());
    }
    this.#tell("error", { reason, field, status: Math.max(status, 0), retry_after: after });
  }

  /** To the form's own page with what was typed: a plain post, boxes are ticked there. */
  #elsewhere() {
    return this.#second(this.#form.words.hosted_link, () => {
      const plain = make("form", { method: "post", action: this.#fresh.action, hidden: "" },
        [...this.#inputs].map(([name, input]) => make("input", { name, value: input.value })));
      // A page's form-action may forbid that.
      document.addEventListener("securitypolicyviolation", () => location.assign(this.#fresh.hosted), { once: true });
      this.#shadow.append(plain);
      HTMLFormElement.prototype.submit.call(plain); // a field may be called `submit`
      plain.remove();
    });
  }

  #second(text, act) {
    const button = make("button", { part: "button second", type: "button" }, text);
    button.onclick = act;
    return button;
  }

  #done(said) {
    const { words } = this.#form;
    const title = make("h2", { tabindex: -1 }, words.done_title);
    const again = this.#second(words.again, () => {
      this.#show({ ...this.#form, work: null });
      this.#at = -Infinity; // its token was used
      this.#inputs.get("email")?.focus();
    });
    const hint = make("p", { class: "quiet" }, words.done_hint);
    this.#shadow.replaceChildren(this.#frame("div", this.#form,
      make("div", { part: "done" }, title, make("p", {}, words.done_text), hint, again)));
    title.focus();
    this.#tell("requested", { ...this.#facts(), expires_in_days: said.expires_in_days });
  }
}

if (!customElements.get("consent-form")) customElements.define("consent-form", ConsentForm);
