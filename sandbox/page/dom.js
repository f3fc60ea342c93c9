// Making elements. Text comes in as text, never as mark-up.

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key === "value") made.value = value;
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((one) => one !== undefined && one !== null && one !== false));
  return made;
}

export function put(into, ...children) {
  into.replaceChildren(...children.flat(Infinity).filter((one) => one !== undefined && one !== null && one !== false));
}

// Bring the children of an element to these, and touch none that stays: a press that has begun is not lost.
export function settle(into, ...children) {
  const wanted = children.flat(Infinity);
  for (const one of [...into.childNodes]) if (!wanted.includes(one)) one.remove();
  wanted.forEach((one, index) => {
    if (into.childNodes[index] !== one) into.insertBefore(one, into.childNodes[index] ?? null);
  });
}

// Direction and control characters are shown, not obeyed: a name cannot dress up as another.
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function shown(text) {
  const escaped = (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0");
  return String(text ?? "").replace(/\r\n/g, "\n").replace(STEERING, escaped);
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function day(seconds) {
  return new Date(seconds * 1000).toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
}

// Where a link may lead: the web and mail. Anything else is shown as text.
export function address(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : "";
  } catch {
    return "";
  }
}

// What stands in the place of something that is not known here.
export function unknown(what, type) {
  return el("div", { class: "unknown", role: "note" }, `${what} of type “${shown(type)}” is not drawn here`);
}
