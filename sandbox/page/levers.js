// The bar of levers: what a visitor can do to the world around the bot.

import { el, put, shown } from "./dom.js";

const WORDS = { runs: "runs", stopped: "stopped", ended: "ended by itself", starting: "is starting", stopping: "is stopping" };
const STEPS = ["patch", "minor", "prerelease"];

export class Levers {
  constructor(box, post) {
    this.box = box;
    this.post = post;
    this.registry = {};
    this.bot = { state: "starting", words: "" };
    this.service = "checkout-api";
    this.environment = "production";
  }

  set(name, value) {
    if (name !== "registry" && name !== "bot") return;
    this[name] = value;
    this.draw();
  }

  draw() {
    const focused = this.box.contains(document.activeElement) ? document.activeElement.dataset.lever : "";
    put(this.box, this.images(), this.delivery(), this.production(), this.process());
    if (focused) this.box.querySelector(`[data-lever="${CSS.escape(focused)}"]`)?.focus();
  }

  pull(label, deed, given, { title, off = false, kind = "" } = {}) {
    const made = el("button", { type: "button", class: `lever ${kind}`, title, disabled: off, "data-lever": `${deed} ${label.split(" ")[0]}` }, label);
    made.addEventListener("click", async () => {
      made.disabled = true;
      await this.post(deed, given);
      made.disabled = off;
    });
    return made;
  }

  pick(id, label, options, chosen, tell) {
    const made = el("select", { id, "data-lever": id }, options.map((one) => el("option", { value: one, selected: one === chosen }, shown(one))));
    made.addEventListener("change", () => {
      tell(made.value);
      this.draw();
    });
    return [el("label", { for: id, class: "hidden" }, label), made];
  }

  images() {
    const services = Object.keys(this.registry);
    const next = this.registry[this.service]?.next ?? {};
    const newest = this.registry[this.service]?.newest ?? "";
    return group("Push an image",
      this.pick("lever-service", "Service", services.length ? services : [this.service], this.service, (one) => (this.service = one)),
      STEPS.map((step) => this.pull(`${step} ${shown(next[step] ?? "")}`.trim(), "push", { service: this.service, step }, { title: `Push the next ${step} of ${this.service}` })),
      this.pull(`Move ${shown(newest)}`, "move", { service: this.service }, { title: `Let the tag ${newest} name another image` }));
  }

  delivery() {
    const given = (healthy) => ({ environment: this.environment, healthy });
    return group("Health check",
      this.pick("lever-environment", "Environment", ["production", "staging"], this.environment, (one) => (this.environment = one)),
      this.pull("Break", "health", given(false), { title: "The delivery tool says on the newest commit: it does not run", kind: "hot" }),
      this.pull("Mend", "health", given(true), { title: "The delivery tool says on the newest commit: it runs" }));
  }

  production() {
    return group("Production",
      this.pull("Freeze", "freeze", { on: true }, { title: "Types /promote freeze production as you" }),
      this.pull("Unfreeze", "freeze", { on: false }, { title: "Types /promote unfreeze production as you" }),
      this.pull("Commit by hand", "by-hand", {}, { title: "Somebody changes the image in Git, past the bot", kind: "hot" }));
  }

  process() {
    const { state, words } = this.bot;
    const isBusy = state === "starting" || state === "stopping";
    const made = group("The bot",
      el("span", { class: `bot-state ${state}`, role: "status" }, WORDS[state] ?? shown(state)),
      state === "runs"
        ? this.pull("Stop", "bot", { what: "stop" }, { off: isBusy })
        : this.pull("Start", "bot", { what: "start" }, { off: isBusy }),
      this.pull("Wipe its disk", "bot", { what: "wipe" }, { off: isBusy, title: "Kill it, lose its disk, start it again", kind: "hot" }));
    if (words) made.append(el("details", { class: "words" }, el("summary", {}, "its last words"), el("pre", {}, shown(words))));
    return made;
  }
}

function group(name, ...parts) {
  const id = `levers-${name.toLowerCase().replace(/ /g, "-")}`;
  return el("div", { class: "lever-group", role: "group", "aria-labelledby": id }, el("h2", { id }, name), el("div", { class: "lever-row" }, parts));
}
