// What one can press, choose and fill in, with the browser's own controls. Unknown elements are shown in red.

import { address, el, shown, unknown } from "./dom.js";
import { plain } from "./words.js";

// An element that acts at once: in a message, or in an actions block of a modal.
export function control(element, block, there) {
  if (element.type === "button") return button(element, block, there);
  if (element.type === "overflow") return overflow(element, block, there);
  if (element.type === "image") {
    return el("span", { class: "image small", role: "img", "aria-label": shown(element.alt_text) }, shown(element.alt_text));
  }
  const made = widget(element, there, (value, isFirst) => {
    there.note(element.action_id, value);
    if (!isFirst) there.choose(block, element, value);
  }, { block, label: plain(element.placeholder) || shown(element.action_id) });
  return made ?? unknown("an element", element.type);
}

// An input block: label, field, hint, and a place for what is wrong with it.
export function field(block, there) {
  const id = `field-${there.id}-${block.block_id}`;
  const element = block.element;
  const made = widget(element, there, (value, isFirst) => {
    there.note(block.block_id, value);
    if (!isFirst && block.dispatch_action) there.choose(block, element, value);
  }, { block, id, label: plain(block.label), hint: block.hint ? `${id}-hint` : "" });
  const isGroup = ["checkboxes", "radio_buttons"].includes(element.type);
  const name = [plain(block.label), block.optional && el("span", { class: "optional" }, " (optional)")];
  return el(isGroup ? "fieldset" : "div", { class: "field", "data-block": block.block_id },
    el(isGroup ? "legend" : "label", isGroup ? {} : { for: id }, name),
    made ?? unknown("a field", element.type),
    block.hint && el("p", { class: "hint", id: `${id}-hint` }, plain(block.hint)),
    el("p", { class: "error", role: "alert", id: `${id}-error`, hidden: true }));
}

function button(element, block, there) {
  const made = el("button", {
    type: "button",
    class: `press ${element.style ?? ""}`,
    "data-action": element.action_id,
    "aria-label": element.accessibility_label && shown(element.accessibility_label),
  }, plain(element.text));
  made.addEventListener("click", async () => {
    if (element.confirm && !(await there.confirm(element.confirm))) return;
    if (address(element.url) && !there.follow(address(element.url))) window.open(address(element.url), "_blank", "noopener");
    made.setAttribute("aria-busy", "true");
    made.disabled = true;
    await there.click(block, element);
    made.removeAttribute("aria-busy");
    made.disabled = false;
  });
  return made;
}

function overflow(element, block, there) {
  const list = el("select", { "aria-label": "More actions", class: "overflow" },
    el("option", { value: "" }, "\u2022\u2022\u2022"),
    element.options.map((one) => el("option", { value: one.value }, plain(one.text))));
  list.addEventListener("change", async () => {
    const value = list.value;
    list.value = "";
    if (element.confirm && !(await there.confirm(element.confirm))) return;
    await there.choose(block, element, value);
  });
  return list;
}

// `tell(value, isFirst)` hears every change, and the remembered value once, as isFirst.
function widget(element, there, tell, { block, id, label, hint }) {
  const told = there.noted(block.type === "input" ? block.block_id : element.action_id);
  const own = { id, "aria-label": id ? undefined : label, "aria-describedby": hint || undefined, "data-focus": element.focus_on_load };
  const many = element.type.startsWith("multi_");
  switch (element.type.replace(/^multi_/, "")) {
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return typed(element, own, told, tell);
    case "static_select":
      return chosen(groups(element), initial(element, many), element, own, many, told, tell);
    case "users_select":
      return chosen([["", there.users()]], element.initial_user ?? element.initial_users, element, own, many, told, tell);
    case "conversations_select":
    case "channels_select":
      return chosen([["", there.channels()]], element.initial_channel ?? element.initial_conversation, element, own, many, told, tell);
    case "external_select":
      return fetched(element, block, there, own, many, told, tell);
    case "datepicker":
      return dated("date", element.initial_date, own, told, tell);
    case "timepicker":
      return dated("time", element.initial_time, own, told, tell);
    case "datetimepicker":
      return momentary(element, own, told, tell);
    case "checkboxes":
    case "radio_buttons":
      return ticked(element, `${there.id}-${block.block_id}`, told, tell);
    default:
      return null;
  }
}

function typed(element, own, told, tell) {
  const isLong = element.type === "plain_text_input" && element.multiline;
  const kinds = { email_text_input: "email", url_text_input: "url", number_input: "text" };
  const made = el(isLong ? "textarea" : "input", {
    ...own,
    type: isLong ? undefined : (kinds[element.type] ?? "text"),
    inputmode: element.type === "number_input" ? "decimal" : undefined,
    maxlength: element.max_length ?? (element.type === "plain_text_input" ? 3000 : undefined),
    placeholder: plain(element.placeholder) || undefined,
    autocomplete: "off",
    rows: isLong ? 4 : undefined,
  });
  made.value = told ?? element.initial_value ?? "";
  made.addEventListener("input", () => tell(made.value, true));
  made.addEventListener("change", () => tell(made.value, false));
  return made;
}

function groups(element) {
  const rows = (options) => options.map((one) => ({ value: one.value, name: plain(one.text) }));
  if (element.option_groups) return element.option_groups.map((one) => [plain(one.label), rows(one.options)]);
  return [["", rows(element.options ?? [])]];
}

function initial(element, many) {
  return many ? element.initial_options?.map((one) => one.value) : element.initial_option?.value;
}

function chosen(sorted, first, element, own, many, told, tell) {
  const made = el("select", { ...own, multiple: many, size: many ? 5 : undefined },
    !many && el("option", { value: "" }, plain(element.placeholder) || "Choose"),
    sorted.map(([name, rows]) => {
      const options = rows.map((one) => el("option", { value: one.value }, shown(one.name)));
      return name ? el("optgroup", { label: name }, options) : options;
    }));
  const wanted = [told ?? first ?? []].flat();
  for (const option of made.options) option.selected = option.value ? wanted.includes(option.value) : !wanted.length && !many;
  made.addEventListener("change", () => {
    const values = [...made.selectedOptions].map((one) => one.value).filter(Boolean);
    if (many || values.length) tell(many ? values : values[0], false);
  });
  return made;
}

// A menu that the app fills while one types.
function fetched(element, block, there, own, many, told, tell) {
  const filter = el("input", { ...own, type: "search", placeholder: plain(element.placeholder) || "Type to search", autocomplete: "off" });
  const list = el("select", { "aria-label": "What fits", size: 5, multiple: many });
  let known = [];
  let asked = 0;
  const fill = (options) => {
    known = options;
    list.replaceChildren(...options.map((one) => el("option", { value: one.value }, plain(one.text))));
  };
  const ask = async () => {
    if (filter.value.length < (element.min_query_length ?? 3)) return fill([]);
    const mine = (asked += 1);
    const options = await there.options(block, element, filter.value);
    if (mine === asked) fill(options);
  };
  filter.addEventListener("input", () => setTimeout(ask, 200));
  list.addEventListener("change", () => {
    const picked = known.filter((one) => [...list.selectedOptions].some((option) => option.value === one.value));
    if (picked.length) tell(many ? picked : picked[0], false);
  });
  const before = [told ?? element.initial_option ?? element.initial_options ?? []].flat();
  fill(before);
  for (const option of list.options) option.selected = true;
  if ((element.min_query_length ?? 3) === 0) ask();
  return el("div", { class: "fetched" }, filter, list);
}

function dated(type, first, own, told, tell) {
  const made = el("input", { ...own, type });
  made.value = told ?? first ?? "";
  made.addEventListener("change", () => tell(made.value || null, false));
  return made;
}

function momentary(element, own, told, tell) {
  const made = el("input", { ...own, type: "datetime-local" });
  const seconds = told ?? element.initial_date_time;
  if (seconds) made.value = new Date(seconds * 1000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  made.addEventListener("change", () => made.value && tell(Math.floor(new Date(made.value).getTime() / 1000), false));
  return made;
}

function ticked(element, name, told, tell) {
  const many = element.type === "checkboxes";
  const wanted = [told ?? initial(element, many) ?? []].flat();
  const boxes = element.options.map((one) => el("input", {
    type: many ? "checkbox" : "radio", name: `${name}-${element.action_id}`, value: one.value, checked: wanted.includes(one.value),
  }));
  for (const box of boxes) {
    box.addEventListener("change", () => {
      const values = boxes.filter((one) => one.checked).map((one) => one.value);
      tell(many ? values : values[0], false);
    });
  }
  return el("div", { class: "choices" }, element.options.map((one, index) =>
    el("label", { class: "choice" }, boxes[index], " ", plain(one.text),
      one.description && el("span", { class: "hint" }, " ", plain(one.description)))));
}
