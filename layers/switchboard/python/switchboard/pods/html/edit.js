/* The edit page: asks for a key, keeps it in this tab, and talks to /v1/pods/{id} with it. What comes from there is put
   on the page as text, never as HTML. `#/blocks/0/text` names a field both here and in the API's errors. */
"use strict";
(() => {
  const ID = document.body.dataset.pod;
  const HELD = "switchboard.key";
  const PARTS = ["title", "description", "language", "accent", "blocks"];
  const ACCENTS = ["blue", "green", "plum", "rust", "slate"];
  const LENGTHS = { line: 500, prose: 20000, address: 2000, language: 6 };
  const MOST_COLUMNS = 3;
  const PREDICATE = /^(is|are|has|have|cannot|may|must|should|takes|nests)\b/; // what is said of a field without its name

  /* What blocks are made of: fields as [name, label, kind, choices or hint]; `many` are parts of which there are some. */
  const KINDS = {
    heading: {
      label: "Heading",
      fields: [["text", "Text", "line"], ["level", "Size", "choice", [[2, "Large: begins a section"], [3, "Small"]]]],
    },
    text: { label: "Text", fields: [["text", "Text", "prose"]] },
    image: {
      label: "Image",
      fields: [
        ["url", "Address", "address", "Begins with https://. While it is empty, the page leaves the image out."],
        ["alt", "What it shows", "line", "For readers who cannot see it. Leave it empty if it only decorates."],
        ["caption", "Caption", "line"],
      ],
    },
    video: {
      label: "Video",
      fields: [
        ["url", "Address", "address", "Begins with https://. A film file plays on the page; other addresses become a link."],
        ["title", "Title", "line"],
        ["poster", "Address of a still picture", "address"],
      ],
    },
    button: {
      label: "Button",
      fields: [["text", "Text", "line"], ["url", "Address", "address", "Begins with https://, mailto: or tel:"]],
    },
    callout: {
      label: "Callout",
      fields: [
        ["text", "Text", "prose"],
        ["tone", "Tone", "choice", [["note", "Note"], ["success", "Good news"], ["warning", "Warning"]]],
      ],
    },
    contacts: {
      label: "Contacts",
      fields: [["title", "Title", "line"]],
      many: {
        name: "people", label: "Person", most: 12,
        fields: [["name", "Name", "line"], ["title", "Position", "line"], ["email", "E-mail", "line"], ["phone", "Phone", "line"]],
      },
    },
    timeline: {
      label: "Timeline",
      fields: [["title", "Title", "line"]],
      many: {
        name: "steps", label: "Step", most: 30,
        fields: [["title", "Title", "line"], ["date", "Date", "line"], ["text", "Text", "prose"], ["done", "Done", "tick"]],
      },
    },
    columns: { label: "Columns", fields: [] },
  };

  let key = sessionStorage.getItem(HELD) || "";
  let saved = null; // the pod as the API told it last
  let version = null; // its etag
  let draft = null; // what of it is being changed
  let own = {}; // variables that were given another value, or null for the record's, since
  let busy = false;
  let controls = new Map(); // by pointer: where an error is shown, and what takes the focus
  let count = 0;
  let view = {}; // the parts of the page that are drawn anew

  /* Elements */

  function make(tag, traits = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(traits)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((each) => each !== null));
    return made;
  }

  const unseen = (text) => make("span", { class: "unseen" }, text);
  const fresh = () => `f${(count += 1)}`;
  const button = (text, onclick, traits = {}) => make("button", { type: "button", onclick, ...traits }, text);
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const escaped = (step) => String(step).replaceAll("~", "~0").replaceAll("/", "~1");

  function same(left, right) {
    if (left === right || typeof left !== "object" || typeof right !== "object" || !left || !right) return left === right;
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return Array.isArray(left) === Array.isArray(right) && [...names].every((name) => same(left[name], right[name]));
  }

  function changes() {
    const found = {};
    for (const part of PARTS) if (!same(draft[part], saved[part])) found[part] = draft[part];
    if (Object.keys(own).length) found.variables = own;
    return found;
  }

  /* Roughly what a line says with its variables filled in, for the bar; the live page has it exactly. */
  function filled(line) {
    const say = (_, name, rest) => own[name] || saved.variables[name] || (/default: *["']([^"']*)["']/.exec(rest) || [])[1] || "…";
    return line.replace(/\{\{\s*([\w.]+)([^}]*)\}\}/g, say).trim();
  }

  const dirty = () => Boolean(saved && draft && Object.keys(changes()).length);

  /* Talking to the API */

  async function call(method, { path = "", body, match } = {}) {
    const headers = { accept: "application/json", authorization: `Bearer ${key}` };
    if (body) headers["content-type"] = "application/json";
    if (match) headers["if-match"] = match;
    try {
      const answer = await fetch(`/v1/pods/${encodeURIComponent(ID)}${path}`, {
        method, headers, body: body && JSON.stringify(body),
        cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error",
      });
      const told = await answer.json().catch(() => ({}));
      return { status: answer.status, etag: answer.headers.get("etag"), wait: answer.headers.get("retry-after"), told };
    } catch {
      return { status: 0, told: {} };
    }
  }

  /* One request at a time; what is done meanwhile waits for the next. */
  async function alone(what, work) {
    if (busy) return;
    busy = true;
    document.body.setAttribute("aria-busy", "true");
    say(what);
    try {
      await work();
    } finally {
      busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  function trouble({ status, told, wait }) {
    if (status === 0) return "No answer. Check your connection and try again; your changes are still here.";
    if (status === 429) return `Too many requests. Try again in ${wait || "a few"} seconds.`;
    return String(told.error || told.detail || `The server answered ${status}.`);
  }

  /* What happens to answers that are the same for every request; true where nothing is left to do. That the CRM has no
     such record is the business of who asked for it. */
  function met(answer) {
    if (answer.status === 401) {
      forget();
      askKey("This key was not accepted. It may have been revoked, or mistyped.");
    } else if (answer.status === 404 && !String(answer.told.type).endsWith("#crm-not-found")) {
      last("There is no such pod", "It may have been deleted, or it belongs to another brand than your key.");
    } else return false;
    return true;
  }

  function adopt({ told, etag }) {
    saved = told.data;
    version = etag || `"${saved.version}"`;
    draft = clone(Object.fromEntries(PARTS.map((part) => [part, saved[part]])));
    own = {};
  }

  /* A live page is kept for half a minute by who has seen it; here whoever changes it shall see the change. */
  function renew() {
    const live = safe(saved.live_url);
    if (live && new URL(live).origin === location.origin) fetch(live, { cache: "reload", keepalive: true }).catch(() => {});
  }

  async function open() {
    await alone("Loading…", async () => {
      const answer = await call("GET");
      if (met(answer)) return;
      if (answer.status !== 200) return askKey(trouble(answer));
      sessionStorage.setItem(HELD, key);
      if (dirty()) return editor("Your changes are still here. Save them when you are ready."); // the key was asked for again
      adopt(answer);
      editor("");
    });
  }

  const save = () => alone("Saving…", async () => {
    if (!dirty()) return say("Nothing has changed.");
    await send(version);
  });

  async function send(match) {
    const sent = clone({ draft, own });
    forgive();
    const answer = await call("PATCH", { body: changes(), match });
    if (answer.status === 412) return conflict();
    if (answer.status === 400 && Array.isArray(answer.told.errors)) return blame(answer.told.errors, answer.told);
    if (met(answer)) return;
    if (answer.status !== 200) return say(`Not saved. ${trouble(answer)}`, "bad");
    const later = same(sent, { draft, own }) ? null : { draft, own };
    adopt(answer);
    renew();
    if (later) ({ draft, own } = later);
    redraw();
    say(later ? "Saved. You have changed something since." : "Saved.", "good");
  }

  async function conflict() {
    const answer = await call("GET");
    if (met(answer)) return;
    if (answer.status !== 200) return say(`Not saved. ${trouble(answer)}`, "bad");
    say("Not saved yet.");
    const chosen = await choose(
      "Somebody else has saved this pod",
      "It was changed after you opened it. You can go on with their version, which drops your changes, or put yours over it.",
      [["Load theirs", "theirs", "main"], ["Save mine over theirs", "mine"], ["Decide later", ""]],
    );
    if (chosen === "theirs") {
      adopt(answer);
      redraw();
      say("This is their version.", "good");
    } else if (chosen === "mine") await send(answer.etag || `"${answer.told.data.version}"`);
    else say("Not saved: somebody else has saved this pod meanwhile.", "bad");
  }

  const refresh = () => alone("Reading the record…", async () => {
    if (dirty()) return say("Save your changes first, or drop them.", "bad");
    const answer = await call("POST", { path: "/refresh" });
    if (met(answer)) return;
    if (answer.status !== 200) return say(`Not refreshed. ${trouble(answer)}`, "bad");
    adopt(answer);
    renew();
    redraw();
    say("The values are those of the record now.", "good");
  });

  const remove = () => alone("", async () => {
    const text = "Its page will be gone at once, for everyone who has the link. This cannot be undone.";
    if (!(await choose("Delete this pod?", text, [["Delete pod", "yes", "bad"], ["Keep it", ""]]))) return say("");
    const answer = await call("DELETE");
    if (met(answer)) return;
    if (answer.status !== 204) return say(`Not deleted. ${trouble(answer)}`, "bad");
    renew();
    last("The pod is deleted", "Its page is gone.");
  });

  async function drop() {
    if (!dirty()) return say("Nothing has changed.");
    const text = "What you have changed since the last save will be lost.";
    if (!(await choose("Drop your changes?", text, [["Drop changes", "yes", "bad"], ["Keep them", ""]]))) return;
    adopt({ told: { data: saved }, etag: version });
    redraw();
    say("Your changes are dropped.");
  }

  function forget() {
    key = "";
    sessionStorage.removeItem(HELD);
  }

  async function leave() {
    const text = "Your changes are not saved. Without the key they are lost.";
    if (dirty() && !(await choose("Forget the key?", text, [["Forget key", "yes", "bad"], ["Stay", ""]]))) return;
    saved = draft = null;
    forget();
    askKey("");
  }

  /* Whole pages */

  function show(...children) {
    for (const each of [...document.body.children]) if (each.localName !== "noscript") each.remove();
    document.body.append(...children);
  }

  function cover(title, ...children) {
    const heading = make("h1", { tabindex: "-1" }, title);
    show(make("main", { class: "front" }, make("div", { class: "sheet" }, heading, ...children)));
    return heading;
  }

  function askKey(message) {
    view = {};
    const hint = make("p", { id: "key-hint", class: "soft" },
      "The key needs the scopes pod.read and pod.write, and pod.delete to delete. It stays in this tab and is forgotten when you close it.");
    const told = make("p", { id: "key-error", class: "error", role: "alert" }, message);
    const input = make("input", {
      id: "key", type: "password", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true,
      "aria-describedby": "key-hint key-error", "aria-invalid": message ? "true" : null,
    });
    const enter = (event) => {
      event.preventDefault();
      const typed = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(typed)) {
        told.textContent = "An API key has letters, digits and underscores, and begins with trpt_.";
        return input.focus();
      }
      key = typed;
      told.textContent = "";
      open();
    };
    cover("Edit this pod", make("form", { method: "post", autocomplete: "off", onsubmit: enter },
      make("label", { for: "key" }, "API key"), input, told, hint, make("button", { class: "main" }, "Open")));
    document.title = "Edit a pod";
    input.focus();
  }

  function last(title, text) {
    saved = draft = null;
    view = {};
    const heading = cover(title, make("p", {}, text), key ? button("Forget key", leave) : null);
    document.title = title;
    heading.focus();
  }

  function editor(message) {
    view = {
      status: make("p", { id: "status", role: "status" }),
      undo: button("Undo", () => {}, { hidden: true }),
      save: button("Save", save, { class: "main", "aria-keyshortcuts": "Control+S" }),
      title: make("span", { class: "which", dir: "auto" }),
      live: make("p", { class: "way" }),
      page: make("div", { class: "fields" }),
      blocks: make("div"),
      variables: make("div"),
      pod: make("div"),
    };
    const section = (id, title, ...children) =>
      make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);
    const heading = make("h1", { tabindex: "-1" }, unseen("Edit "), view.title);
    show(
      make("header", { class: "bar" },
        make("div", { class: "inner" },
          heading,
          make("div", { class: "told" }, view.status, view.undo),
          make("div", { class: "acts" }, view.live, view.save))),
      make("main", { class: "inner" },
        make("nav", { "aria-label": "Parts of this page" },
          ...[["page", "Page"], ["blocks", "Blocks"], ["variables", "Variables"], ["pod", "Pod"]].map(([id, text]) =>
            make("a", { href: `#${id}` }, text))),
        section("page", "Page", view.page),
        section("blocks", "Blocks",
          make("p", { class: "soft" }, "Every text may hold variables, as in ", make("code", {}, '{{ company.name | default: "your team" }}'),
            ". Long texts are Markdown: ", make("code", {}, "**bold**"), ", ", make("code", {}, "- list"), ", ",
            make("code", {}, "[link](https://…)"), "."),
          view.blocks),
        section("variables", "Variables", view.variables),
        section("pod", "Pod", view.pod)),
    );
    redraw();
    say(message);
    heading.focus();
  }

  function say(text, tone = "") {
    if (!view.status) return;
    view.status.textContent = text;
    view.status.className = tone;
    view.undo.hidden = true;
  }

  function choose(title, text, answers) {
    return new Promise((resolve) => {
      const dialog = make("dialog", { "aria-labelledby": "asked", "aria-describedby": "asked-text" },
        make("h2", { id: "asked" }, title), make("p", { id: "asked-text" }, text),
        make("div", { class: "acts" }, ...answers.map(([label, value, look]) =>
          button(label, () => dialog.close(value), { class: look || null }))));
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue);
      });
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  /* The editor's parts */

  /* Draws everything that the draft decides; the focus stays where it was, or goes to `next`. */
  function redraw(next = null) {
    const active = document.activeElement;
    const kept = next || (active && active.dataset.at);
    const marked = !next && active && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
    const scroll = window.scrollY;
    controls = new Map();
    drawPage();
    view.blocks.replaceChildren(...blockList(draft.blocks, "#/blocks", true));
    drawVariables();
    drawPod();
    if (!next) window.scrollTo({ top: scroll, behavior: "instant" });
    const found = kept && [...document.querySelectorAll("[data-at]")].find((each) => each.dataset.at === kept);
    if (found) {
      found.focus({ preventScroll: !next });
      if (marked && marked[0] !== null && found.setSelectionRange) found.setSelectionRange(...marked);
    }
    touched();
  }

  function touched() {
    const changed = dirty();
    view.save.classList.toggle("waiting", changed);
    const title = filled(draft.title) || "Untitled";
    view.title.textContent = title;
    document.title = `${changed ? "* " : ""}Edit ${title}`;
    if (ACCENTS.includes(draft.accent)) document.body.className = `accent-${draft.accent}`;
  }

  /* A field: its label, its control, and room for what is wrong with it. `set` is told every change. */
  function field(pointer, label, kind, value, set, more = null) {
    const id = fresh();
    const error = make("p", { class: "error", id: `${id}-error`, hidden: true });
    const hint = typeof more === "string" ? make("p", { class: "hint", id: `${id}-hint` }, more) : null;
    const changed = (read) => (event) => {
      set(read(event.target));
      pardon(pointer);
      touched();
    };
    const traits = {
      id, "data-at": pointer, maxlength: LENGTHS[kind], lang: kind === "line" || kind === "prose" ? draft.language : null,
      "aria-describedby": `${hint ? `${id}-hint ` : ""}${id}-error`, oninput: changed((target) => target.value),
    };
    let control;
    if (kind === "prose") control = make("textarea", { ...traits, rows: 4, dir: "auto" });
    else if (kind === "choice") {
      const find = (target) => more.find(([choice]) => String(choice) === target.value)[0];
      control = make("select", { ...traits, oninput: changed(find) },
        ...more.map(([choice, text]) => make("option", { value: choice }, text)));
    } else if (kind === "tick") control = make("input", { ...traits, type: "checkbox", oninput: changed((target) => target.checked) });
    else control = make("input", { ...traits, type: "text", dir: "auto", inputmode: kind === "address" ? "url" : null, spellcheck: kind === "line" ? null : "false" });
    if (kind === "tick") control.checked = Boolean(value);
    else control.value = value ?? "";
    controls.set(pointer, { control, error, label });
    const name = make("label", { for: id }, label);
    return make("div", { class: `field ${kind}` }, ...(kind === "tick" ? [control, name] : [name, control]), error, hint);
  }

  const fields = (item, made, pointer) =>
    made.map(([name, label, kind, more]) =>
      field(`${pointer}/${name}`, label, kind, item[name], (value) => { item[name] = value; }, more));

  /* Room for what is wrong with something that is no field. */
  function room(pointer, label) {
    const error = make("p", { class: "error", hidden: true });
    controls.set(pointer, { control: null, error, label });
    return error;
  }

  function drawPage() {
    const accents = make("fieldset", { class: "field accents" }, make("legend", {}, "Accent"),
      ...ACCENTS.map((accent) => {
        const input = make("input", {
          type: "radio", name: "accent", value: accent, "data-at": `#/accent/${accent}`,
          oninput: () => { draft.accent = accent; pardon("#/accent"); touched(); },
        });
        input.checked = draft.accent === accent;
        return make("label", { class: `accent-${accent}` }, input, make("span", { class: "swatch" }), accent);
      }), room("#/accent", "Accent"));
    const one = (name, label, kind, hint) =>
      field(`#/${name}`, label, kind, draft[name], (value) => { draft[name] = value; }, hint);
    view.page.replaceChildren(
      one("title", "Title", "line"),
      one("description", "Description", "line"),
      accents,
      one("language", "Language", "language", "As en, de or pt-BR. Dates and sums of money are written accordingly."),
    );
  }

  /* A list of blocks with what can be done to it. */
  function blockList(blocks, pointer, columns) {
    const kinds = Object.entries(KINDS).filter(([name]) => columns || name !== "columns");
    const id = fresh();
    const kind = make("select", { id, "data-at": `${pointer}|kind` }, ...kinds.map(([name, { label }]) => make("option", { value: name }, label)));
    kind.value = "text";
    const add = () => {
      blocks.push(blank(kind.value));
      redraw(`${pointer}/${blocks.length - 1}|head`);
      say(`${KINDS[kind.value].label} added.`);
    };
    return [
      room(pointer, "Blocks"),
      make("ol", { class: "blocks" }, ...blocks.map((block, index) => drawBlock(blocks, block, index, pointer))),
      make("div", { class: "adder" }, make("label", { for: id }, "Add a block"), kind, button("Add", add, { "data-at": `${pointer}|add` })),
    ];
  }

  function blank(type) {
    const { fields: own, many } = KINDS[type];
    const empty = (made) => Object.fromEntries(made.map(([name, , kind, choices]) =>
      [name, kind === "tick" ? false : kind === "choice" ? choices[0][0] : ""]));
    const made = { type, ...empty(own) };
    if (many) made[many.name] = [empty(many.fields)];
    if (type === "columns") made.columns = [[], []];
    return made;
  }

  function drawBlock(blocks, block, index, above) {
    const pointer = `${above}/${index}`;
    const { label, fields: made, many } = KINDS[block.type] || { label: block.type, fields: [] };
    const inner = [...fields(block, made, pointer)];
    if (many) inner.push(drawMany(block[many.name], many, `${pointer}/${many.name}`));
    if (block.type === "columns") inner.push(drawColumns(block.columns, `${pointer}/columns`));
    return part("block", "li", `${index + 1}. ${label}`, blocks, index, above, inner, "h3", 0);
  }

  function drawMany(items, { label, most, fields: made }, pointer) {
    const add = () => {
      items.push(Object.fromEntries(made.map(([name, , kind]) => [name, kind === "tick" ? false : ""])));
      redraw(`${pointer}/${items.length - 1}|head`);
      say(`${label} added.`);
    };
    return make("div", { class: "many" }, room(pointer, label),
      make("ol", {}, ...items.map((item, index) =>
        part("item", "li", `${label} ${index + 1}`, items, index, pointer, fields(item, made, `${pointer}/${index}`), "h4", 1))),
      items.length < most ? button(`Add ${label.toLowerCase()}`, add, { "data-at": `${pointer}|add` }) : null);
  }

  function drawColumns(columns, pointer) {
    const add = () => {
      columns.push([]);
      redraw(`${pointer}/${columns.length - 1}|head`);
      say("Column added.");
    };
    return make("div", { class: "many" }, room(pointer, "Columns"),
      make("ol", { class: "columns" }, ...columns.map((column, index) =>
        part("item", "li", `Column ${index + 1}`, columns, index, pointer, blockList(column, `${pointer}/${index}`, false), "h4", 2))),
      columns.length < MOST_COLUMNS ? button("Add column", add, { "data-at": `${pointer}|add` }) : null);
  }

  /* One of a list: its name, buttons to move and remove it, and what is in it. `least` of them have to stay. */
  function part(look, tag, name, list, index, above, inner, rank, least) {
    const pointer = `${above}/${index}`;
    const id = fresh();
    const move = (to, way) => {
      list.splice(to, 0, ...list.splice(index, 1));
      const end = way === "up" ? to === 0 : to === list.length - 1;
      redraw(`${above}/${to}|${end ? (way === "up" ? "down" : "up") : way}`);
      say(`Moved to place ${to + 1} of ${list.length}.`);
    };
    const take = () => {
      const [taken] = list.splice(index, 1);
      redraw(list.length ? `${above}/${Math.min(index, list.length - 1)}|head` : `${above}|add`);
      say(`${name} removed.`);
      const back = () => {
        list.splice(index, 0, taken);
        redraw(`${pointer}|head`);
        say(`${name} is back.`);
      };
      const undo = button("Undo", back);
      view.undo.replaceWith(undo);
      view.undo = undo;
    };
    const act = (text, label, way, onclick, disabled) =>
      button(text, onclick, { class: "small", "aria-label": `${label} ${name}`, title: label, "data-at": `${pointer}|${way}`, disabled });
    return make(tag, { class: look, role: tag === "li" ? null : "group" },
      make("div", { class: "head" },
        make(rank, { id, tabindex: "-1", "data-at": `${pointer}|head` }, name),
        make("div", { class: "acts" },
          act("↑", "Move up", "up", () => move(index - 1, "up"), index === 0),
          act("↓", "Move down", "down", () => move(index + 1, "down"), index === list.length - 1),
          act("×", "Remove", "remove", take, list.length <= least))),
      controls.has(pointer) ? null : room(pointer, name),
      make("div", { class: "fields", role: "group", "aria-labelledby": id }, ...inner));
  }

  function drawVariables() {
    const overridden = new Set(saved.overridden);
    const names = [...new Set([...Object.keys(saved.variables), ...overridden])].sort();
    if (!names.length) return view.variables.replaceChildren(make("p", { class: "soft" }, "The texts mention no variables."));
    const missing = new Set(saved.missing_variables);
    const note = missing.size
      ? make("p", { class: "notice" }, `${missing.size === 1 ? "One variable has" : `${missing.size} variables have`} no value: the page shows the default, or nothing.`)
      : null;
    const head = ["Variable", "On the page", "Value of your own", ""].map((text) =>
      make("th", { scope: "col", role: "columnheader" }, text || unseen("Reset")));
    view.variables.replaceChildren(...[note, make("table", { role: "table" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)),
      make("tbody", { role: "rowgroup" }, ...names.map((name) => variableRow(name, overridden.has(name), missing.has(name)))))].filter(Boolean));
  }

  const words = (value) =>
    value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

  const quoted = (told) => (told ? make("span", { dir: "auto" }, told) : make("em", { class: "soft" }, "no value"));

  function variableRow(name, overridden, missing) {
    const pointer = `#/variables/${escaped(name)}`;
    const value = saved.variables[name];
    const told = words(value);
    const start = overridden ? told : "";
    const error = make("p", { class: "error", hidden: true });
    const input = make("input", {
      type: "text", dir: "auto", "data-at": pointer, "aria-label": `Value of your own for ${name}`, maxlength: LENGTHS.prose,
      oninput: () => {
        if (input.value === start) delete own[name];
        else if (input.value) own[name] = input.value;
        else own[name] = null;
        after();
      },
    });
    input.value = name in own ? own[name] ?? "" : start;
    const reset = button("Reset", () => {
      input.value = "";
      if (overridden) own[name] = null;
      else delete own[name];
      after();
      input.focus();
    }, { class: "small", "aria-label": `Back to the record's value of ${name}`, disabled: !input.value });
    const after = () => {
      reset.disabled = !input.value;
      pardon(pointer);
      touched();
    };
    controls.set(pointer, { control: input, error, label: name });
    const cell = (label, ...children) => make("td", { role: "cell", "data-label": label }, ...children);
    return make("tr", { role: "row" },
      make("th", { scope: "row", role: "rowheader" }, make("code", {}, name)),
      cell("On the page",
        quoted(missing ? "" : told), " ",
        overridden ? make("span", { class: "tag" }, "your own") : missing ? null : make("span", { class: "tag soft" }, "from the record"),
        overridden ? make("p", { class: "hint" }, "From the record: ", quoted(words((saved.record_values || {})[name]))) : null),
      cell("Value of your own", input, error),
      cell("", reset));
  }

  function drawPod() {
    const live = safe(saved.live_url);
    view.live.replaceChildren(...(live ? [make("a", { href: live, target: "_blank", rel: "noopener noreferrer" }, "Live page", unseen(" (opens in a new tab)"))] : []));
    const when = (text) => {
      const date = new Date(text);
      return text && !Number.isNaN(date.getTime()) ? date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "";
    };
    const facts = [
      ["Record", [saved.crm_object, saved.crm_id].filter(Boolean).join(" ")],
      ["CRM", saved.crm_type],
      ["Owner", saved.owner_email],
      ["Last change", when(saved.updated_at)],
      ["Read from the CRM", when(saved.refreshed_at)],
      ["Version", saved.version],
    ].filter(([, value]) => value);
    view.pod.replaceChildren(
      make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { dir: "auto" }, String(value))))),
      make("div", { class: "acts" },
        button("Refresh from CRM", refresh, { "data-at": "#|refresh" }),
        button("Drop changes", drop, { "data-at": "#|drop" }),
        button("Forget key", leave, { "data-at": "#|forget" }),
        button("Delete pod", remove, { class: "bad", "data-at": "#|delete" })));
  }

  function safe(text) {
    try {
      const url = new URL(text, location.href);
      return url.protocol === "https:" || url.origin === location.origin ? url.href : null;
    } catch {
      return null;
    }
  }

  /* Errors at their fields */

  function blame(errors, told) {
    const left = [];
    let first = null;
    for (const { pointer = "", detail = "" } of errors) {
      const found = nearest(String(pointer));
      if (!found) {
        left.push(String(detail));
        continue;
      }
      const sentence = PREDICATE.test(detail) ? `${found.label} ${detail}` : String(detail);
      found.error.textContent = [found.error.textContent, `${sentence.replace(/\.$/, "")}.`].filter(Boolean).join(" ");
      found.error.hidden = false;
      if (found.control) found.control.setAttribute("aria-invalid", "true");
      first = first || found;
    }
    const number = errors.length - left.length;
    const where = number ? `${number === 1 ? "One field needs" : `${number} places need`} another look.` : "";
    say(["Not saved.", where, ...left, number || left.length ? "" : trouble({ status: 400, told })].filter(Boolean).join(" "), "bad");
    if (first && first.control) first.control.focus();
    else if (first) first.error.scrollIntoView({ block: "center" });
  }

  function nearest(pointer) {
    for (let at = pointer; at.includes("/"); at = at.slice(0, at.lastIndexOf("/"))) {
      if (controls.has(at)) return controls.get(at);
    }
    return null;
  }

  function pardon(pointer) {
    const found = controls.get(pointer);
    if (!found || found.error.hidden) return;
    found.error.hidden = true;
    found.error.textContent = "";
    if (found.control) found.control.removeAttribute("aria-invalid");
  }

  const forgive = () => [...controls.keys()].forEach(pardon);

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s" && view.save) {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) save();
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty()) event.preventDefault();
  });

  if (key) {
    cover("Opening the pod…");
    open();
  } else askKey("");
})();
