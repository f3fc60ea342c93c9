// Block Kit as elements. What is not known here is shown in red with its type.

import { address, el, shown, unknown } from "./dom.js";
import { control } from "./controls.js";
import { date, emoji, link, markdown, mention, mrkdwn, plain } from "./words.js";

// `there` knows names, follows links, and does what controls ask for; see page.js.
export function blocks(list, there) {
  return list.map((one) => {
    const made = (BLOCKS[one.type] ?? (() => unknown("a block", one.type)))(one, there);
    made.classList.add("block");
    return made;
  });
}

export function text(object, there) {
  if (object?.type === "mrkdwn") return mrkdwn(object.text, there);
  if (object?.type === "plain_text") return [plain(object)];
  return [unknown("a text", object?.type)];
}

const BLOCKS = {
  header: (one) => el("h3", { class: "header" }, plain(one.text)),
  divider: () => el("hr"),
  section: (one, there) =>
    el("div", { class: "section" },
      el("div", { class: "section-text" },
        one.text && el("p", {}, text(one.text, there)),
        one.fields && el("div", { class: "fields" }, one.fields.map((field) => el("p", {}, text(field, there))))),
      one.accessory && control(one.accessory, one, there)),
  context: (one, there) =>
    el("div", { class: "context" }, one.elements.map((part) =>
      part.type === "image" ? image(part, "tiny") : el("span", {}, text(part, there)))),
  actions: (one, there) => el("div", { class: "actions" }, one.elements.map((part) => control(part, one, there))),
  image: (one) => el("figure", {}, one.title && el("figcaption", {}, plain(one.title)), image(one, "")),
  rich_text: (one, there) => el("div", { class: "rich" }, one.elements.map((part) => rich(part, there))),
  markdown: (one, there) => el("div", { class: "markdown" }, markdown(one.text, there)),
  input: (one, there) => there.field(one),
  alert: (one, there) => el("div", { class: "alert", role: "note" }, text(one.text, there)),
  table: (one, there) =>
    el("div", { class: "table" }, el("table", {}, one.rows.map((row, index) =>
      el("tr", {}, row.map((cell) => el(index ? "td" : "th", {}, tableCell(cell, there))))))),
};

function tableCell(cell, there) {
  if (cell.type === "raw_text") return shown(cell.text);
  if (cell.type === "rich_text") return cell.elements.map((part) => rich(part, there));
  return unknown("a cell", cell.type);
}

// The page loads nothing from elsewhere: a picture is its alternative text in a frame.
function image(one, size) {
  return el("span", { class: `image ${size}`, role: "img", "aria-label": shown(one.alt_text), title: shown(one.alt_text) },
    size ? "\u25a8" : `image: ${shown(one.alt_text)}`);
}

function rich(part, there) {
  const inner = () => part.elements.map((one) => span(one, there));
  switch (part.type) {
    case "rich_text_section":
      return el("div", { class: "line" }, inner());
    case "rich_text_quote":
      return el("blockquote", {}, inner());
    case "rich_text_preformatted":
      return el("pre", {}, inner());
    case "rich_text_list": {
      const ordered = part.style === "ordered";
      const list = el(ordered ? "ol" : "ul", { start: ordered && part.offset ? part.offset + 1 : undefined },
        part.elements.map((one) => el("li", {}, one.elements.map((inside) => span(inside, there)))));
      list.classList.add(`indent-${Math.min(8, Number(part.indent) || 0)}`);
      return list;
    }
    default:
      return unknown("rich text", part.type);
  }
}

function span(one, there) {
  const made = SPANS[one.type]?.(one, there) ?? unknown("a span", one.type);
  return dressed(made, one.style ?? {});
}

const SPANS = {
  text: (one) => el("span", {}, shown(one.text)),
  link: (one, there) => link(one.url, one.text, there),
  user: (one, there) => mention("@" + there.user(one.user_id), one.user_id === there.me),
  usergroup: (one, there) => mention("@" + there.group(one.usergroup_id)),
  channel: (one, there) => mention("#" + there.channel(one.channel_id)),
  broadcast: (one) => mention("@" + one.range),
  emoji: (one) => el("span", { class: "emoji", title: `:${shown(one.name)}:` }, shown(emoji(`:${one.name}:`))),
  color: (one) => el("code", {}, shown(one.value)),
  date: (one, there) => {
    const words = shown(date(one.timestamp, one.format, one.fallback ?? ""));
    return address(one.url) ? link(one.url, words, there) : el("time", {}, words);
  },
};

function dressed(made, style) {
  let outer = made;
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (style[name]) outer = el(tag, {}, outer);
  }
  return outer;
}
