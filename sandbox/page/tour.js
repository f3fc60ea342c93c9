// Five steps that say what to try, each ticked off when it was seen to happen.

import { el, put } from "./dom.js";

const SERVICE = "checkout-api";
const ROLLBACK = `/promote rollback ${SERVICE} in production because baskets lose their coupons`;

// Each step: what to do, why, a button or two that help, and what in the record shows that it was done.
const STEPS = [
  {
    title: "Push a version",
    words: `Push a patch of ${SERVICE} with the levers. Nobody is asked in staging: the bot commits there by itself, and the channel hears of it.`,
    helps: [["Push a patch", (page) => page.post("push", { service: SERVICE, step: "patch" })]],
    isDone: (seen) => has(seen, "bump"),
  },
  {
    title: "Ask for production",
    words: "Be Carol and press Promote on the card. A pull request opens; the card says who still has to agree.",
    helps: [["Be Carol", (page) => page.become("carol")]],
    isDone: (seen) => has(seen, "propose"),
  },
  {
    title: "Approve, twice",
    words: "Two release managers who did not ask approve: Ada, then Bob. Try Dan, who is a guest, and Carol, who asked.",
    helps: [["Be Ada", (page) => page.become("ada")], ["Be Bob", (page) => page.become("bob")]],
    isDone: (seen) => has(seen, "landed"),
  },
  {
    title: "Read the record",
    words: "Open a commit or a ledger entry: who asked, who approved, which rule held, what was merged.",
    helps: [["Git log", (page) => show(page, "git")], ["Ledger", (page) => show(page, "ledger")]],
    isDone: (seen) => seen.looked,
  },
  {
    title: "Go back",
    words: "The way back takes one person and seconds. The version that production leaves is blocked there.",
    helps: [["Type it for me", (page) => page.compose(ROLLBACK)]],
    isDone: (seen) => has(seen, "rollback"),
  },
];

function has(seen, kind) {
  return seen.ledger.some((row) => row.kind === kind);
}

function show(page, tab) {
  page.record(tab);
  page.turnPane("record");
}

export class Tour {
  constructor(box, button, page) {
    this.box = box;
    this.button = button;
    this.page = page;
    this.seen = { ledger: [], looked: sessionStorage.getItem("looked") === "yes" };
    this.done = STEPS.map(() => false);
    this.isShown = sessionStorage.getItem("tour") !== "away";
    button.addEventListener("click", () => this.turn(!this.isShown));
  }

  set(name, value) {
    if (name !== "ledger") return;
    this.seen.ledger = value;
    this.draw();
  }

  // Somebody opened a commit or an entry: it counts once there is something to read about.
  looked() {
    if (!has(this.seen, "landed") || this.seen.looked) return;
    this.seen.looked = true;
    sessionStorage.setItem("looked", "yes");
    this.draw();
  }

  turn(isShown) {
    this.isShown = isShown;
    sessionStorage.setItem("tour", isShown ? "here" : "away");
    this.draw();
    if (isShown) this.page.turnPane("talk");
  }

  draw() {
    this.done = STEPS.map((step, index) => this.done[index] || Boolean(step.isDone(this.seen)));
    const current = this.done.indexOf(false);
    this.button.setAttribute("aria-expanded", String(this.isShown));
    this.box.hidden = !this.isShown;
    const step = STEPS[current];
    const key = `${current} ${this.done.join()}`;
    if (this.drawn === key) return;
    this.drawn = key;
    put(this.box,
      el("ol", { class: "steps" }, STEPS.map((one, index) =>
        el("li", { class: this.done[index] ? "done" : index === current ? "current" : "", "aria-current": index === current ? "step" : undefined },
          el("span", { class: "hidden" }, this.done[index] ? "done: " : ""), one.title))),
      el("div", { class: "step", role: "status" },
        step
          ? [el("p", {}, el("strong", {}, `${current + 1}. ${step.title}. `), step.words),
             el("div", { class: "helps" }, step.helps.map(([name, act]) => el("button", { type: "button", class: "press", onclick: () => act(this.page) }, name)))]
          : el("p", {}, el("strong", {}, "That was the tour. "), "Now hurt it: move a tag that waits for approval, commit by hand, freeze production, wipe the bot's disk while it works.")),
      el("button", { type: "button", class: "quiet away", "aria-label": "Hide the tour", onclick: () => { this.turn(false); this.button.focus(); } }, "\u2715"));
  }
}
