// Slack's mark-up: mrkdwn, emoji by name, dates, mentions; and a small part of Markdown for markdown blocks.

import { address, el, shown } from "./dom.js";

const SIGNS = {
  white_check_mark: "\u2705", x: "\u274c", warning: "\u26a0\ufe0f", package: "\u{1f4e6}", rocket: "\u{1f680}",
  lock: "\u{1f512}", hourglass_flowing_sand: "\u23f3", snowflake: "\u2744\ufe0f", eyes: "\u{1f440}",
  leftwards_arrow_with_hook: "\u21a9\ufe0f", rewind: "\u23ea", no_entry: "\u26d4", white_circle: "\u26aa",
  grey_question: "\u2754", anchor: "\u2693", wave: "\u{1f44b}",
  large_green_circle: "\u{1f7e2}", rotating_light: "\u{1f6a8}", raised_hand: "\u270b", tada: "\u{1f389}",
};
const MARKS = { "*": "strong", _: "em", "~": "s" };
const PAIR = /(^|[^\w*_~`])([*_~])(?=\S)([^\n]*?\S)\2(?![\w*_~])/;

export function emoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (all, name) => SIGNS[name] ?? all);
}

export function plain(text) {
  return shown(emoji(text?.text ?? ""));
}

// Slack, "Date formatting"; the reader's own zone.
export function date(seconds, form, fallback) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  const long = { year: "numeric", month: "long", day: "numeric" };
  const short = { ...long, month: "short" };
  const full = { ...long, weekday: "long" };
  const days = { date: long, date_pretty: long, date_short: short, date_short_pretty: short, date_long: full, date_long_pretty: full };
  const two = (number) => String(number).padStart(2, "0");
  const text = form.replace(/\{([a-z_]+)\}/g, (all, token) => {
    if (token in days) return at.toLocaleDateString("en", days[token]);
    if (token === "date_num") return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    if (token === "time") return `${two(at.getHours())}:${two(at.getMinutes())}`;
    if (token === "time_secs") return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    return all;
  });
  return text.includes("{") ? fallback : text;
}

export function link(url, text, there) {
  const to = address(url);
  if (!to) return el("span", {}, shown(text || url));
  const made = el("a", { href: to, target: "_blank", rel: "noopener noreferrer" }, shown(text || url));
  made.addEventListener("click", (event) => there.follow(to) && event.preventDefault());
  return made;
}

export function mention(name, isMe = false) {
  return el("span", { class: isMe ? "mention me" : "mention" }, shown(name));
}

function entities(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function reference(inside, there) {
  const [target, ...rest] = inside.split("|");
  const label = entities(rest.join("|"));
  if (target.startsWith("@")) return mention("@" + there.user(target.slice(1)), target.slice(1) === there.me);
  if (target.startsWith("#")) return mention("#" + there.channel(target.slice(1)));
  if (target.startsWith("!date^")) {
    const [, seconds, form] = target.split("^");
    return el("time", {}, date(Number(seconds), form ?? "", label));
  }
  if (target.startsWith("!subteam^")) return mention("@" + there.group(target.slice(9)));
  if (target.startsWith("!")) return mention("@" + (label || target.slice(1)));
  return link(entities(target), label, there);
}

function marked(text) {
  const found = PAIR.exec(text);
  if (!found) return [shown(emoji(entities(text)))];
  const start = found.index + found[1].length;
  return [
    ...marked(text.slice(0, start)),
    el(MARKS[found[2]], {}, marked(found[3])),
    ...marked(text.slice(start + found[3].length + 2)),
  ];
}

function line(text, there) {
  return text.split(/(`[^`\n]+`|<[^<>\n]+>)/).flatMap((part, index) => {
    if (index % 2 === 0) return marked(part);
    if (part.startsWith("`")) return [el("code", {}, shown(entities(part.slice(1, -1))))];
    return [reference(part.slice(1, -1), there)];
  });
}

export function mrkdwn(text, there) {
  return text.split(/(```[\s\S]*?```)/).flatMap((part, index) => {
    if (index % 2) return [el("pre", {}, shown(entities(part.slice(3, -3).replace(/^\n/, ""))))];
    return quoted(part.split("\n"), (one) => line(one, there));
  });
}

function quoted(lines, write) {
  const made = [];
  lines.forEach((one, index) => {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(one);
    if (quote && !/^<[^ ]/.test(one)) made.push(el("blockquote", {}, write(quote[1])));
    else made.push(...write(one), ...(index < lines.length - 1 ? ["\n"] : []));
  });
  return made;
}

// Markdown of a markdown block: headings, lists, quotes, code, emphasis, links; raw HTML stays text.
export function markdown(text, there) {
  const made = [];
  let list = null;
  for (const part of text.split(/(```[\s\S]*?```)/)) {
    if (part.startsWith("```")) {
      made.push(el("pre", {}, shown(part.slice(3, -3).replace(/^\w*\n/, ""))));
      list = null;
      continue;
    }
    for (const one of part.split("\n")) {
      const heading = /^(#{1,6}) +(.*)$/.exec(one);
      const item = /^\s*(?:[-*+]|(\d+)\.) +(.*)$/.exec(one);
      const quote = /^> ?(.*)$/.exec(one);
      if (item) {
        const name = item[1] ? "ol" : "ul";
        if (list?.localName !== name) made.push((list = el(name)));
        list.append(el("li", {}, spans(item[2], there)));
        continue;
      }
      list = null;
      if (heading) made.push(el("p", { class: "heading" }, spans(heading[2], there)));
      else if (quote) made.push(el("blockquote", {}, spans(quote[1], there)));
      else if (/^(-{3,}|\*{3,})$/.test(one)) made.push(el("hr"));
      else if (one.trim()) made.push(el("p", {}, spans(one, there)));
    }
  }
  return made;
}

function spans(text, there) {
  return text.split(/(`[^`]+`|\[[^\]]+\]\([^()\s]+\)|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|~~[^~]+~~)/).map((part, index) => {
    if (index % 2 === 0) return shown(emoji(part));
    if (part.startsWith("`")) return el("code", {}, shown(part.slice(1, -1)));
    if (part.startsWith("**")) return el("strong", {}, shown(part.slice(2, -2)));
    if (part.startsWith("~~")) return el("s", {}, shown(part.slice(2, -2)));
    if (part.startsWith("*")) return el("em", {}, shown(part.slice(1, -1)));
    const [, label, url] = /^\[([^\]]+)\]\((.+)\)$/.exec(part);
    return link(url, label, there);
  });
}
