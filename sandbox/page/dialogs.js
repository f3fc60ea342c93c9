// What lies over the page: confirm dialogs, and the modals of the person chosen.

import { blocks, text } from "./blocks.js";
import { field } from "./controls.js";
import { el, put } from "./dom.js";
import { plain } from "./words.js";

export function confirm(asked) {
  return new Promise((answer) => {
    let isYes = false;
    const end = (yes) => {
      isYes = yes;
      dialog.close();
    };
    const dialog = el("dialog", { class: "dialog confirm", "aria-labelledby": "confirm-title" },
      el("h2", { id: "confirm-title" }, plain(asked.title)),
      el("p", {}, text(asked.text, { user: String, channel: String, group: String, follow: () => false })),
      el("div", { class: "ends" },
        el("button", { type: "button", class: "press", onclick: () => end(false) }, plain(asked.deny)),
        el("button", { type: "button", class: `press ${asked.style ?? "primary"}`, onclick: () => end(true) }, plain(asked.confirm))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(isYes);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector(".ends button:last-child").focus();
  });
}

// The modals of one person, a stack; `post` sends a deed, `there` is what blocks need.
export class Modals {
  constructor(post, there) {
    this.post = post;
    this.there = there;
    this.stack = [];
    this.values = new Map();
    this.drawn = "";
    this.dialog = el("dialog", { class: "dialog modal", "aria-labelledby": "modal-title" });
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    document.body.append(this.dialog);
  }

  show(views) {
    this.stack = views;
    this.draw();
  }

  hear(kind, view, words) {
    const at = this.stack.findIndex((one) => one.id === view.id);
    if (kind === "view-opened") this.stack = [view];
    else if (kind === "view-pushed") this.stack.push(view);
    else if (kind === "view-updated" && at >= 0) this.stack[at] = view;
    else if (kind === "view-closed" && at >= 0) this.stack.splice(at, 1);
    else if (kind === "view-refused") return this.refuse(view.id, JSON.parse(words));
    this.draw();
  }

  draw() {
    const view = this.stack.at(-1);
    if (!view) {
      this.drawn = "";
      this.values.clear();
      if (this.dialog.open) this.dialog.close();
      put(this.dialog);
      return;
    }
    if (this.drawn === `${view.id} ${view.hash}`) return;
    this.drawn = `${view.id} ${view.hash}`;
    if (!this.values.has(view.id)) this.values.set(view.id, new Map());
    put(this.dialog, this.form(view));
    if (!this.dialog.open) this.dialog.showModal();
    (this.dialog.querySelector("[data-focus]") ?? this.dialog.querySelector("input, textarea, select, button.primary"))?.focus();
  }

  form(view) {
    const noted = this.values.get(view.id);
    const place = { view: view.id };
    const there = {
      ...this.there(place, () => Object.fromEntries(noted)),
      id: view.id,
      note: (key, value) => noted.set(key, value),
      noted: (key) => noted.get(key),
    };
    there.field = (block) => field(block, there);
    const payload = view.payload;
    const form = el("form", { novalidate: true },
      el("header", {}, el("h2", { id: "modal-title" }, plain(payload.title)),
        el("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => this.close() }, "\u2715")),
      el("div", { class: "modal-body" }, blocks(payload.blocks, there)),
      el("p", { class: "error", role: "alert", id: "modal-error", hidden: true }),
      el("div", { class: "ends" },
        el("button", { type: "button", class: "press", onclick: () => this.close() }, plain(payload.close) || "Cancel"),
        payload.submit && el("button", { type: "submit", class: "press primary" }, plain(payload.submit))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(view, form);
    });
    return form;
  }

  async submit(view, form) {
    const send = form.querySelector("button[type=submit]");
    if (!send || send.disabled) return;
    this.refuse(view.id, {});
    send.disabled = true;
    const answer = await this.post("submit", { view: view.id, values: Object.fromEntries(this.values.get(view.id)) }, true);
    send.disabled = false;
    if (answer.error) this.say(answer.error);
  }

  close() {
    const view = this.stack.at(-1);
    if (view) this.post("close", { view: view.id });
  }

  say(words) {
    const line = this.dialog.querySelector("#modal-error");
    if (!line) return;
    line.textContent = words;
    line.hidden = !words;
  }

  refuse(id, errors) {
    if (this.stack.at(-1)?.id !== id) return;
    this.say("");
    let first = null;
    for (const one of this.dialog.querySelectorAll(".field")) {
      const words = errors[one.dataset.block] ?? "";
      const line = one.querySelector(":scope > .error");
      line.textContent = words;
      line.hidden = !words;
      const input = one.querySelector("input, textarea, select");
      if (input) input.setAttribute("aria-invalid", words ? "true" : "false");
      if (words && !first) first = input;
    }
    first?.focus();
  }
}
