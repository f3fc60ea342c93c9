// The page: who one is, what the stream tells, and where it is drawn.

import { blocks } from "./blocks.js";
import { field } from "./controls.js";
import { confirm, Modals } from "./dialogs.js";
import { clock, day, el, put, settle, shown } from "./dom.js";
import { Levers } from "./levers.js";
import { Record } from "./record.js";
import { Tour } from "./tour.js";
import { mrkdwn } from "./words.js";

const HOME = "home";
const PEOPLE = [["ada", "Ada"], ["bob", "Bob"], ["carol", "Carol"], ["dan", "Dan, guest"]];
const at = (id) => document.getElementById(id);

const state = {
  as: PEOPLE.some(([name]) => name === query("as")) ? query("as") : "ada",
  room: "",
  users: new Map(), groups: new Map(), channels: new Map(),
  messages: new Map(), typed: [], home: null, sections: {},
  unread: new Set(), threads: new Set(), position: 0, me: "", app: { user: "", name: "" },
};
const notes = new Map(); // what was filled in outside of modals, by message
const nodes = new WeakMap(); // what did not change keeps its elements
const days = new Map();
let source = null;

function query(name) {
  return new URLSearchParams(location.search).get(name);
}

// Speaking to the demo

export async function post(deed, given, isQuiet = false) {
  let answer;
  try {
    const sent = await fetch(`/act/${deed}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: state.as, ...given }),
    });
    answer = await sent.json();
  } catch {
    answer = { error: "the demo does not answer; does it still run?" };
  }
  if (answer.error && !isQuiet) toast(answer.error, "bad");
  if (answer.warning) toast(answer.warning, "bad");
  if (answer.said) toast(answer.said);
  return answer;
}

function toast(words, kind = "") {
  const one = el("p", { class: `toast ${kind}` }, shown(words));
  at("toasts").append(one);
  setTimeout(() => one.remove(), kind ? 9000 : 5000);
}

function follow(url) {
  if (/\/login\/device$/.test(url)) {
    turnPane("levers");
    levers.signInFrom();
    return true;
  }
  const found = /\/pull\/(\d+)$/.exec(url);
  if (!found || !(state.sections.pulls ?? []).some((one) => one.number === Number(found[1]))) return false;
  record.turn("pulls", Number(found[1]));
  turnPane("record");
  return true;
}

// What blocks need to know and to do, for one message or view

function there(place, values = () => ({})) {
  return {
    id: place.ts ?? place.view, me: state.me, follow, confirm,
    user: (id) => state.users.get(id)?.shown ?? id,
    channel: (id) => state.channels.get(id)?.name ?? id,
    group: (id) => state.groups.get(id) ?? id,
    users: () => [...state.users.values()].map((one) => ({ value: one.id, name: one.shown })),
    channels: () => [...state.channels.values()].filter((one) => !one.im).map((one) => ({ value: one.id, name: `#${one.name}` })),
    click: (block, element) => post("click", { ...place, block: block.block_id, action: element.action_id, values: values() }),
    choose: (block, element, option) => post("choose", { ...place, block: block.block_id, action: element.action_id, option, values: values() }),
    options: async (block, element, typed) =>
      (await post("options", { ...place, block: block.block_id, action: element.action_id, typed })).options ?? [],
  };
}

function thereIn(place) {
  const key = place.view ?? `${place.channel} ${place.ts}`;
  if (!notes.has(key)) notes.set(key, new Map());
  const noted = notes.get(key);
  const made = there(place, () => Object.fromEntries(noted));
  made.note = (name, value) => noted.set(name, value);
  made.noted = (name) => noted.get(name);
  made.field = (block) => field(block, made);
  return made;
}

// The stream

function listen() {
  source?.close();
  source = new EventSource(`/events?as=${encodeURIComponent(state.as)}`);
  const own = source;
  source.addEventListener("all", (event) => own === source && begin(JSON.parse(event.data)));
  source.addEventListener("feed", (event) => own === source && hear(JSON.parse(event.data)));
  source.addEventListener("section", (event) => {
    const { name, value } = JSON.parse(event.data);
    if (own === source) section(name, value);
  });
  source.addEventListener("error", () => own === source && linked(false));
}

function linked(isOn) {
  at("link").textContent = isOn ? "" : "the demo does not answer; trying again";
  at("link").classList.toggle("bad", !isOn);
  document.body.dataset.linked = isOn ? "yes" : "no";
}

function begin(all) {
  Object.assign(state, { me: all.me, app: all.app, typed: all.typed, home: all.home, position: all.position });
  state.users = new Map(all.users.map((one) => [one.id, one]));
  state.groups = new Map(all.groups.map((one) => [one.id, one.handle]));
  state.channels = new Map(all.channels.map((one) => [one.id, one]));
  state.messages = new Map(all.messages.map((one) => [key(one), one]));
  if (!state.room || (state.room !== HOME && !state.channels.has(state.room))) state.room = firstRoom();
  at("line").placeholder = all.hint;
  linked(true);
  modals.show(all.views);
  for (const [name, value] of Object.entries(all.sections)) section(name, value);
  drawPeople();
  drawRoom(true);
}

function firstRoom() {
  return [...state.channels.values()].find((one) => !one.im)?.id ?? HOME;
}

function key(message) {
  return `${message.channel} ${message.ts}`;
}

function hear(event) {
  if (event.number <= state.position) return;
  state.position = event.number;
  const isHere = event.channel === state.room;
  switch (event.kind) {
    case "posted":
    case "whispered":
      state.messages.set(key(event.message), event.message);
      if (!isHere) state.unread.add(event.channel);
      break;
    case "edited":
    case "whisper-edited":
      state.messages.set(key(event.message), { ...event.message, isFresh: true });
      break;
    case "deleted":
    case "whisper-deleted":
      state.messages.delete(key(event.message));
      break;
    case "command":
      state.typed.push({ at: event.at, channel: event.channel, text: event.text });
      break;
    case "home-published":
      state.home = event.view;
      break;
    case "warned":
      toast(`Slack shows a warning sign: the app did not answer (${event.text})`, "bad");
      return;
    default:
      if (event.view) modals.hear(event.kind, event.view, event.text);
      return;
  }
  if (isHere || event.kind === "home-published") drawRoom();
  else drawRooms();
}

function section(name, value) {
  state.sections[name] = value;
  if (name === "trouble") {
    at("trouble").hidden = !value;
    at("trouble").textContent = value ? `The repository cannot be read: ${shown(value)}` : "";
  }
  record.set(name, value);
  levers.set(name, value);
  tour.set(name, value);
}

// People and rooms

function drawPeople() {
  put(at("people"), PEOPLE.map(([name, label]) => {
    const input = el("input", { type: "radio", name: "as", value: name, checked: name === state.as });
    input.addEventListener("change", () => become(name));
    return el("label", { class: `person as-${name}` }, input, avatar(name, label), el("span", { class: "name" }, label));
  }));
}

function avatar(name, label) {
  return el("span", { class: `avatar as-${name}`, "aria-hidden": "true" }, label[0]);
}

export function become(name) {
  if (name === state.as) return;
  state.as = name;
  state.unread.clear();
  const own = new URL(location.href);
  own.searchParams.set("as", name);
  history.replaceState(null, "", own);
  const focused = document.activeElement?.closest?.(".people");
  const room = state.channels.get(state.room);
  if (room?.im) state.room = "";
  listen();
  drawPeople();
  if (focused) document.querySelector("#people input:checked")?.focus();
}

function drawRooms() {
  const room = (id, name, kind) => el("button", {
    type: "button", class: `room ${kind}`, "aria-current": id === state.room ? "true" : undefined,
    onclick: () => enter(id),
  }, el("span", { class: "sign", "aria-hidden": "true" }, { channel: "#", direct: "\u25cb", home: "\u2302" }[kind]), shown(name),
  state.unread.has(id) && el("span", { class: "unread" }, el("span", { class: "hidden" }, "unread")));
  const all = [...state.channels.values()];
  put(at("rooms"),
    el("h2", {}, "Channels"), all.filter((one) => !one.im).map((one) => room(one.id, one.name, "channel")),
    el("h2", {}, "Direct messages"), all.filter((one) => one.im).map((one) => room(one.id, state.app.name, "direct")),
    el("h2", {}, "Apps"), room(HOME, `${state.app.name} Home`, "home"));
}

function enter(id) {
  state.room = id;
  state.unread.delete(id);
  if (id === HOME) post("home", {}, true);
  drawRoom(true);
}

// Messages

function drawRoom(isNew = false) {
  drawRooms();
  const room = state.channels.get(state.room);
  const isHome = state.room === HOME;
  at("room").textContent = isHome ? `${state.app.name} Home` : room?.im ? state.app.name : `#${room?.name ?? ""}`;
  at("topic").textContent = isHome ? "what the app publishes for you" : room?.im ? "you and the app" : "";
  at("composer").hidden = isHome;
  at("line-label").textContent = `Message to ${at("room").textContent}`;
  const box = at("messages");
  const isAtEnd = isNew || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const focused = box.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && { ts: focused.closest("[data-ts]")?.dataset.ts, action: focused.dataset.action };
  settle(box, isHome ? home() : items());
  if (focused && !box.contains(document.activeElement)) {
    const again = place.ts && box.querySelector(`[data-ts="${CSS.escape(place.ts)}"]`);
    const button = place.action && again?.querySelector(`[data-action="${CSS.escape(place.action)}"]`);
    (button || box).focus({ preventScroll: true });
  }
  if (isAtEnd) box.scrollTop = isHome ? 0 : box.scrollHeight;
}

function home() {
  if (!state.home) return el("p", { class: "empty" }, `${state.app.name} publishes nothing here yet.`);
  const view = state.home;
  return el("article", { class: "home-view" }, blocks(view.payload.blocks, thereIn({ view: view.id })));
}

function items() {
  const here = [...state.messages.values()].filter((one) => one.channel === state.room);
  const known = new Set(here.map((one) => one.ts));
  const isReply = (one) => one.thread_ts && one.thread_ts !== one.ts && known.has(one.thread_ts);
  const replies = Map.groupBy ? Map.groupBy(here.filter(isReply), (one) => one.thread_ts) : grouped(here.filter(isReply));
  const rows = [
    ...here.filter((one) => !isReply(one)).map((one) => ({ at: Number(one.ts), draw: () => thread(one, replies.get(one.ts) ?? []) })),
    ...state.typed.filter((one) => one.channel === state.room).map((one) => ({ at: one.at, draw: () => typed(one) })),
  ].sort((one, other) => one.at - other.at);
  if (!rows.length) return el("p", { class: "empty" }, "Nothing was said here yet.");
  let last = "";
  return rows.flatMap((row) => {
    const today = day(row.at);
    const isFirst = today !== last;
    last = today;
    return isFirst ? [midnight(today), row.draw()] : [row.draw()];
  });
}

function midnight(name) {
  if (!days.has(name)) days.set(name, el("p", { class: "day" }, el("span", {}, name)));
  return days.get(name);
}

function grouped(list) {
  const made = new Map();
  for (const one of list) made.set(one.thread_ts, [...(made.get(one.thread_ts) ?? []), one]);
  return made;
}

function typed(one) {
  return drawn(one, () => command(one));
}

function command(one) {
  return el("p", { class: "typed" }, el("span", { class: "time" }, clock(one.at)), "You typed ", el("code", {}, shown(one.text)));
}

function drawn(one, draw) {
  if (!nodes.has(one)) nodes.set(one, draw());
  return nodes.get(one);
}

function message(one) {
  const user = state.users.get(one.user);
  const isApp = one.by_app || one.user === "USLACKBOT";
  const name = one.by_app ? state.app.name : (user?.shown ?? "Slackbot");
  const place = { channel: one.channel, ts: one.ts };
  return el("article", { class: `message ${one.only_for ? "whisper" : ""} ${one.isFresh ? "fresh" : ""}`, "data-ts": one.ts },
    one.by_app ? el("img", { class: "avatar", src: "/page/mark.svg", alt: "" }) : avatar(user?.name ?? "none", name),
    el("div", { class: "said" },
      one.only_for && el("p", { class: "only" }, "Only visible to you"),
      el("p", { class: "who" }, el("strong", {}, shown(name)), isApp && el("span", { class: "app" }, "APP"),
        el("time", { class: "time" }, clock(Number(one.ts)))),
      one.blocks.length ? blocks(one.blocks, thereIn(place)) : el("p", { class: "text" }, mrkdwn(one.text, there(place))),
      one.attachments.map((part) => el("div", { class: "attachment" }, part.blocks ? blocks(part.blocks, thereIn(place)) : mrkdwn(part.text || part.fallback || "", there(place)))),
      one.edited && el("span", { class: "edited" }, "(edited)")));
}

// A message with its replies: the message keeps its element, what hangs below is drawn anew when it changes.
function thread(one, replies) {
  const made = drawn(one, () => el("div", { class: "thread" }, message(one)));
  const isOpen = state.threads.has(one.ts);
  const looks = [isOpen, ...replies.map((reply) => `${reply.ts} ${reply.edited} ${reply.text}`)].join("\n");
  if (one.only_for || made.looks === looks) return made;
  made.looks = looks;
  settle(made, made.firstChild, hanging(one, replies, isOpen));
  return made;
}

function hanging(one, replies, isOpen) {
  const words = replies.length ? `${replies.length} ${replies.length === 1 ? "reply" : "replies"}` : "Reply";
  const turn = el("button", { type: "button", class: replies.length ? "replies" : "replies none", "aria-expanded": String(isOpen) }, words);
  turn.addEventListener("click", () => {
    state.threads[isOpen ? "delete" : "add"](one.ts);
    drawRoom();
    if (!isOpen) document.querySelector(`[data-thread="${CSS.escape(one.ts)}"] input`)?.focus();
  });
  const ask = el("button", { type: "button", class: "replies none ask", title: "The app's shortcut on this message" }, "Promote this");
  ask.addEventListener("click", () => post("shortcut", { channel: one.channel, ts: one.ts }));
  const row = el("div", { class: "hanging" }, turn, ask);
  return isOpen ? [row, opened(one, replies)] : [row];
}

function opened(one, replies) {
  const line = el("input", { type: "text", "aria-label": "Reply in the thread", placeholder: "Reply", autocomplete: "off", maxlength: 4000 });
  const form = el("form", { class: "composer", "data-thread": one.ts }, line, el("button", { type: "submit" }, "Reply"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (line.value.trim() && !(await post("say", { channel: one.channel, text: line.value, thread: one.ts })).error) line.value = "";
  });
  return el("div", { class: "opened" }, replies.map((reply) => drawn(reply, () => message(reply))), form);
}

// The composer

const past = [];
let back = 0;

at("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = at("line");
  const text = line.value.trim();
  if (!text) return;
  line.value = "";
  past.push(text);
  back = past.length;
  at("messages").scrollTop = at("messages").scrollHeight;
  const answer = await post("say", { channel: state.room, text });
  if (answer.error && !line.value) line.value = text;
});

at("line").addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || !past.length) return;
  event.preventDefault();
  back = Math.max(0, Math.min(past.length, back + step));
  at("line").value = past[back] ?? "";
});

export function compose(text) {
  if (state.room === HOME) enter(firstRoom());
  turnPane("talk");
  at("line").value = text;
  at("line").focus();
}

// Panes, where the window is narrow

export function turnPane(name) {
  document.body.dataset.pane = name;
  for (const one of document.querySelectorAll(".panes button")) one.setAttribute("aria-pressed", String(one.dataset.pane === name));
  if (name === "talk") at("messages").scrollTop = at("messages").scrollHeight;
}

for (const one of document.querySelectorAll(".panes button")) one.addEventListener("click", () => turnPane(one.dataset.pane));

const modals = new Modals(post, there);
const tour = new Tour(at("tour"), at("tour-show"), {
  become, compose, post, turnPane, record: (tab) => record.turn(tab),
});
const record = new Record(at("panel"), [...document.querySelectorAll(".tabs button")], () => tour.looked());
const levers = new Levers(at("levers"), (deed, given) =>
  post(deed, { channel: state.channels.get(state.room)?.id ?? firstRoom(), ...given }));

record.draw();
levers.draw();
tour.draw();
drawPeople();
listen();
