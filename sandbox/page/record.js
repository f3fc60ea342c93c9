// The record beside the conversation: the Git log with trailers, pull requests with their diff, the ledger.

import { el, put, shown } from "./dom.js";

const SHORT = 7;
const BOOKS = new Set(["seen", "shown", "rules"]); // what no reader of a story misses

export class Record {
  constructor(panel, tabs, moved) {
    this.panel = panel;
    this.tabs = tabs;
    this.moved = moved; // told of the entry or commit that somebody opened
    this.sections = {};
    this.tab = "git";
    this.pull = 0; // chosen by hand; 0 is the newest
    this.open = new Set();
    this.shut = new Set();
    this.entries = new Map();
    this.hasBooks = false;
    for (const one of tabs) {
      one.addEventListener("click", () => this.turn(one.dataset.tab));
      one.addEventListener("keydown", (event) => this.walk(event, one));
    }
  }

  set(name, value) {
    this.sections[name] = value;
    if (name === this.tab) this.draw();
  }

  turn(tab, pull = this.pull) {
    this.tab = tab;
    this.pull = pull;
    this.draw();
    this.panel.scrollTop = 0;
  }

  walk(event, tab) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = this.tabs[(this.tabs.indexOf(tab) + step + this.tabs.length) % this.tabs.length];
    next.focus();
    this.turn(next.dataset.tab);
  }

  draw() {
    for (const one of this.tabs) {
      const isOn = one.dataset.tab === this.tab;
      one.setAttribute("aria-selected", String(isOn));
      one.tabIndex = isOn ? 0 : -1;
      if (isOn) this.panel.setAttribute("aria-labelledby", one.id);
    }
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    const top = this.panel.scrollTop;
    put(this.panel, { git: () => this.git(), pulls: () => this.pulls(), ledger: () => this.ledger() }[this.tab]());
    this.panel.scrollTop = top;
    if (focused) this.panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  // Git

  git() {
    const commits = this.sections.git ?? [];
    if (!commits.length) return el("p", { class: "empty" }, "There is no commit yet.");
    return commits.map((one, index) => this.commit(one, index === 0));
  }

  commit(one, isNewest) {
    const isOpen = this.open.has(one.oid) || (isNewest && one.trailers.length > 0 && !this.shut.has(one.oid));
    const health = Object.entries(one.health).flatMap(([environment, state]) =>
      [" ", el("span", { class: `badge ${state}` }, `${environment}: ${state}`)]);
    const box = el("details", { class: "commit", open: isOpen },
      el("summary", { "data-key": one.oid },
        el("span", { class: "subject" }, shown(one.subject)),
        el("span", { class: "by" }, el("code", {}, one.oid.slice(0, SHORT)), ` ${shown(one.author)} \u00b7 ${when(one.at)}`, health)),
      one.body && el("p", { class: "body" }, shown(one.body)),
      one.trailers.length
        ? el("dl", { class: "trailers" }, one.trailers.map(([name, value]) => [
            el("dt", {}, shown(name)),
            el("dd", {}, name === "Ledger" ? this.pointer(value) : shown(value)),
          ]))
        : el("p", { class: "empty" }, "No trailers: this commit was not made by Countersign."));
    box.addEventListener("toggle", () => {
      this.open[box.open ? "add" : "delete"](one.oid);
      this.shut[box.open ? "delete" : "add"](one.oid);
    });
    box.querySelector("summary").addEventListener("click", () => this.moved("commit", one.oid));
    return box;
  }

  pointer(oid) {
    return el("button", { type: "button", class: "pointer", title: "Show this ledger entry", onclick: () => this.show(oid) }, shown(oid));
  }

  show(oid) {
    this.turn("ledger");
    this.toggle(oid, true);
    this.panel.querySelector(`[data-key="${CSS.escape(oid)}"]`)?.scrollIntoView({ block: "nearest" });
  }

  // Pull requests

  pulls() {
    const pulls = this.sections.pulls ?? [];
    if (!pulls.length) return el("p", { class: "empty" }, "There is no pull request yet: ask for production first.");
    const one = pulls.find((pull) => pull.number === this.pull) ?? pulls[0];
    const choice = el("select", { id: "pull-choice", "data-key": "choice" }, pulls.map((pull) =>
      el("option", { value: pull.number, selected: pull === one }, `#${pull.number} ${shown(pull.title)}`)));
    choice.addEventListener("change", () => this.turn("pulls", Number(choice.value)));
    const results = Object.entries(one.results ?? {});
    return [
      el("div", { class: "choice-row" }, el("label", { for: "pull-choice" }, "Pull request"), choice),
      el("h3", { class: "pull-title" }, `#${one.number} `, shown(one.title)),
      el("p", { class: "by" }, el("span", { class: `badge ${one.state}` }, one.state),
        ` ${shown(one.author)} wants ${shown(one.head)} in ${shown(one.base)}`, one.merged_by && ` \u00b7 merged by ${shown(one.merged_by)}`),
      diff(one.diff),
      results.length > 0 && el("ul", { class: "results" }, results.map(([name, state]) =>
        el("li", {}, el("span", { class: `badge ${state}` }, shown(String(state))), " ", shown(name)))),
      [...one.reviews, ...one.comments].map((said) =>
        el("div", { class: "remark" }, el("strong", {}, shown(said.author)), said.state && ` ${said.state.toLowerCase()}`,
          el("pre", {}, shown(said.body)))),
      one.body && el("pre", { class: "pull-body" }, shown(one.body)),
    ];
  }

  // Ledger

  ledger() {
    const all = [...(this.sections.ledger ?? [])].reverse();
    if (!all.length) return el("p", { class: "empty" }, "The ledger begins with the bot's first look.");
    const rows = all.filter((row) => this.hasBooks || !BOOKS.has(row.kind) || this.open.has(row.oid));
    const books = el("input", { type: "checkbox", checked: this.hasBooks, "data-key": "books" });
    books.addEventListener("change", () => {
      this.hasBooks = books.checked;
      this.draw();
    });
    return [
      el("label", { class: "keep" }, books, `bookkeeping too: ${[...BOOKS].join(", ")} (${all.filter((row) => BOOKS.has(row.kind)).length})`),
      el("ol", { class: "ledger", reversed: true }, rows.map((row) => this.row(row))),
    ];
  }

  row(row) {
    const isOpen = this.open.has(row.oid);
    return el("li", { class: `entry kind-${shown(row.kind)}`, value: row.number },
      el("button", { type: "button", class: "entry-head", "data-key": row.oid, "aria-expanded": String(isOpen), onclick: () => this.toggle(row.oid) },
        el("span", { class: "kind" }, shown(row.kind)),
        el("span", { class: "what" }, shown(row.what) || "\u2013"),
        el("span", { class: "by" }, `${shown(row.who)} \u00b7 ${when(row.at)}${row.signed ? " \u00b7 signed" : ""}`),
        row.note && el("span", { class: "note" }, shown(row.note))),
      isOpen && this.json(row.oid));
  }

  json(oid) {
    const known = this.entries.get(oid);
    return el("pre", { class: "json", tabindex: 0, "aria-label": "The entry as JSON" }, known ? shown(JSON.stringify(known, null, 2)) : "\u2026");
  }

  async toggle(oid, isOpen = !this.open.has(oid)) {
    this.open[isOpen ? "add" : "delete"](oid);
    if (isOpen) this.moved("entry", oid);
    this.draw();
    if (!isOpen || this.entries.has(oid)) return;
    try {
      const answer = await fetch(`/entries/${encodeURIComponent(oid)}`);
      const told = await answer.json();
      this.entries.set(oid, told.line ?? told);
    } catch {
      this.entries.set(oid, { error: "the demo does not answer" });
    }
    if (this.tab === "ledger") this.draw();
  }
}

function diff(text) {
  const kind = (line) => {
    if (/^(diff|index|---|\+\+\+|old mode|new mode|similarity|rename)/.test(line)) return "meta";
    if (line.startsWith("@@")) return "hunk";
    return { "+": "added", "-": "removed" }[line[0]] ?? "";
  };
  const lines = text.split("\n").filter((line) => !/^(index|diff) /.test(line));
  return el("pre", { class: "diff", tabindex: 0, "aria-label": "The change" }, lines.map((line) => el("span", { class: kind(line) }, shown(line), "\n")));
}

function when(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return shown(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })
    : date.toLocaleDateString("en", { month: "short", day: "numeric" });
}
