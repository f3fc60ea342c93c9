// The bar of levers: what a visitor can do to the world around the bot.

import { el, put, shown } from "./dom.js";

const WORDS = { runs: "runs", stopped: "stopped", ended: "ended by itself", starting: "is starting", stopping: "is stopping" };
const LOGINS = ["ada-l", "bob", "carol"];
const STEPS = ["patch", "minor", "prerelease"];

export class Levers {
  constructor(box, post) {
    this.box = box;
    this.post = post;
    this.registry = {};
    this.bot = { state: "starting", words: "" };
    this.isHeld = false;
    this.service = "checkout-api";
    this.environment = "production";
    this.sign = { code: "", asked: "", login: LOGINS[0] };
  }

  set(name, value) {
    if (name !== "registry" && name !== "bot") return;
    this[name] = value;
    this.draw();
  }

  draw() {
    const focused = this.box.contains(document.activeElement) ? document.activeElement.dataset.lever : "";
    put(this.box, this.images(), this.delivery(), this.production(), this.process(), this.signing());
    if (!focused) return;
    const there = this.box.querySelector(`[data-lever="${CSS.escape(focused)}"]`);
    there?.focus();
    if (there?.type === "text") there.setSelectionRange(there.value.length, there.value.length);
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

  // The forge's page for signing in with a code: first the code, then who one is, yes or no.
  signing() {
    const { code, asked, login } = this.sign;
    const name = "Sign in at the forge";
    if (asked) {
      const answer = (allowed) => this.signed({ code: asked, login, allowed });
      return group(name,
        el("span", {}, `Let Countersign (${shown(asked)}) know that you are`),
        this.pick("lever-login", "Account at the forge", LOGINS, login, (one) => (this.sign.login = one)),
        this.act("Authorize", "sign-in authorize", () => answer(true)),
        this.act("Refuse", "sign-in refuse", () => answer(false)));
    }
    const typed = el("input", { id: "lever-code", type: "text", autocomplete: "off", maxlength: "20", size: "11", placeholder: "ABCD-EFGH", value: code, "data-lever": "lever-code" });
    typed.addEventListener("input", () => (this.sign.code = typed.value));
    typed.addEventListener("keydown", (event) => event.key === "Enter" && this.entered());
    return group(name,
      el("label", { for: "lever-code", class: "hidden" }, "Code that /promote link gave"), typed,
      this.act("Continue", "sign-in continue", () => this.entered()));
  }

  act(label, name, deed) {
    const made = el("button", { type: "button", class: "lever", "data-lever": name }, label);
    made.addEventListener("click", deed);
    return made;
  }

  async entered() {
    if (!this.sign.code.trim()) return;
    const answer = await this.post("enter-code", { code: this.sign.code });
    this.sign.asked = answer.code ?? "";
    this.draw();
  }

  async signed(given) {
    this.sign = { ...this.sign, code: "", asked: "" };
    await this.post("sign-in", given);
    this.draw();
  }

  // A link to the page for signing in leads here.
  signInFrom() {
    this.sign = { ...this.sign, asked: "" };
    this.draw();
    this.box.querySelector("#lever-code").focus();
  }

  // The bot takes one thing at a time: until it is answered, none of its buttons can be pressed.
  handle(label, what, { title, off, kind = "" }) {
    const made = el("button", { type: "button", class: `lever ${kind}`, title, disabled: off, "data-lever": `bot ${what}` }, label);
    made.addEventListener("click", async () => {
      this.isHeld = true;
      this.draw();
      await this.post("bot", { what });
      this.isHeld = false;
      this.draw();
    });
    return made;
  }

  process() {
    const { state, words } = this.bot;
    const isBusy = this.isHeld || state === "starting" || state === "stopping";
    const made = group("The bot",
      el("span", { class: `bot-state ${state}`, role: "status" }, WORDS[state] ?? shown(state)),
      state === "runs"
        ? this.handle("Stop", "stop", { off: isBusy })
        : this.handle("Start", "start", { off: isBusy }),
      this.handle("Wipe its disk", "wipe", { off: isBusy, title: "Kill it, lose its disk, start it again", kind: "hot" }));
    if (words) made.append(el("details", { class: "words" }, el("summary", {}, "its last words"), el("pre", {}, shown(words))));
    return made;
  }
}

function group(name, ...parts) {
  const id = `levers-${name.toLowerCase().replace(/ /g, "-")}`;
  return el("div", { class: "lever-group", role: "group", "aria-labelledby": id }, el("h2", { id }, name), el("div", { class: "lever-row" }, parts));
}
