// Shows the model: an overview, the lanes, the list of events, and the state at the chosen moment.

const $ = (id) => document.getElementById(id);
const style = () => getComputedStyle(document.documentElement);
const GUTTER = 84;
const HEIGHT = 30;
const OFF = new Set(["presence", "touch"]);
let from = data.begin;
let span = Math.max(data.end - data.begin, 1_000);
let chosen = 0;
let filter = "";
let timer = null;

const seconds = (millis) => `${((millis - data.begin) / 1_000).toFixed(3)} s`;
const isShown = (event) => !OFF.has(event.kind) && (!filter || `${event.who} ${event.what} ${event.text}`.toLowerCase().includes(filter));
let shown = [];

const rows = [];
let y = 26;
let group = null;
for (const lane of lanes.values()) {
  if (lane.group !== group) {
    group = lane.group;
    y += 18;
    rows.push({ heading: group, y: y - 8 });
  }
  lane.y = y + HEIGHT / 2;
  rows.push({ lane, y });
  y += HEIGHT;
}
const lanesHeight = y + 10;

function prepare(canvas, height) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  return [context, width];
}

function drawOverview(color) {
  const [context, width] = prepare($("overview"), 54);
  const x = (time) => GUTTER + ((time - data.begin) / (data.end - data.begin)) * (width - GUTTER - 12);
  context.fillStyle = color("--chosen");
  context.globalAlpha = 0.16;
  context.fillRect(x(from), 0, Math.max(3, x(from + span) - x(from)), 54);
  context.globalAlpha = 1;
  let free = 0;
  for (const { at, name } of phases) {
    context.fillStyle = color("--line");
    context.fillRect(x(at), 0, 1, 54);
    context.fillStyle = color("--muted");
    if (x(at) >= free) {
      context.fillText(name, x(at) + 5, 11);
      free = x(at) + context.measureText(name).width + 12;
    }
  }
  context.fillStyle = color("--fault");
  faults.forEach((fault, index) => context.fillRect(x(fault.from), 24 + (index % 8) * 3, Math.max(2, x(fault.to) - x(fault.from)), 2));
  context.fillStyle = color("--muted");
  context.fillText("faults", 16, 36);
  if (violationAt) {
    context.fillStyle = color("--fault");
    context.fillRect(x(violationAt.at) - 1, 0, 3, 54);
  }
  context.fillStyle = color("--ink");
  context.fillRect(x(events[chosen].at), 0, 1.5, 54);
}

function drawLanes(color) {
  const [context, width] = prepare($("lanes"), lanesHeight);
  const x = (time) => GUTTER + ((time - from) / span) * (width - GUTTER - 12);
  const end = from + span;
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, width - GUTTER, lanesHeight);
  context.clip();
  // A grid of about eight lines.
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000].find((it) => span / it <= 9) ?? 300_000;
  for (let time = Math.ceil((from - data.begin) / step) * step + data.begin; time < end; time += step) {
    context.fillStyle = color("--line");
    context.fillRect(x(time), 0, 1, lanesHeight);
    context.fillStyle = color("--muted");
    context.fillText(`${(time - data.begin) / 1_000} s`, x(time) + 4, 10);
  }
  for (const { lane, y } of rows) {
    if (!lane) continue;
    lane.states.forEach((state, index) => {
      const to = lane.states[index + 1]?.at ?? data.end;
      if (to < from || state.at > end) return;
      context.fillStyle = color(`--${state.look}`);
      context.fillRect(x(state.at), y + 7, Math.max(1, x(to) - x(state.at)), HEIGHT - 14);
    });
    for (const bar of lane.bars) {
      if (!bar.look || bar.to < from || bar.from > end) continue;
      context.fillStyle = color(`--${bar.look}`);
      context.fillRect(x(bar.from), y + 3, Math.max(2, x(bar.to) - x(bar.from)), HEIGHT - 6);
      context.fillStyle = color("--fault");
      context.fillRect(x(bar.from), y + 3, Math.max(2, x(bar.to) - x(bar.from)), 2);
    }
  }
  const isDetail = span <= 12_000;
  for (const link of links) {
    if (link.at2 < from || link.at1 > end || OFF.has(link.kind)) continue;
    const isChosen = related.has(link.index);
    if (!isChosen && (!isDetail || !isShown(events[link.index]))) continue;
    const [a, b] = [lanes.get(link.from), lanes.get(link.to)];
    if (!a || !b) continue;
    context.strokeStyle = color(`--${link.lost ? "fault" : link.kind}`);
    context.globalAlpha = isChosen ? 1 : 0.35;
    context.lineWidth = isChosen ? 2 : 1;
    context.setLineDash(link.lost ? [3, 3] : []);
    context.beginPath();
    context.moveTo(x(link.at1), a.y);
    context.lineTo(x(link.at2), b.y);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  for (const event of shown) {
    if (event.at < from || event.at > end) continue;
    const lane = lanes.get(event.lane ?? event.who);
    const isChosen = event.index === chosen;
    context.fillStyle = color(`--${event.kind}`);
    const size = isChosen ? 5 : related.has(event.index) ? 4 : isDetail ? 3 : 1.6;
    context.beginPath();
    context.arc(x(event.at), lane?.y ?? 22, size, 0, 7);
    context.fill();
  }
  if (isDetail) labelBars(context, x, end, color);
  if (violationAt) {
    context.fillStyle = color("--fault");
    context.fillRect(x(violationAt.at) - 1, 0, 2, lanesHeight);
  }
  context.fillStyle = color("--ink");
  context.fillRect(x(events[chosen].at), 0, 1, lanesHeight);
  context.restore();
  for (const { lane, heading, y } of rows) {
    context.fillStyle = color(heading ? "--muted" : "--ink");
    context.fillText(heading ?? lane.name, heading ? 16 : 28, heading ? y : lane.y);
  }
}

function labelBars(context, x, end, color) {
  context.fillStyle = color("--ink");
  for (const { lane, y } of rows) {
    for (const bar of lane?.bars ?? []) {
      if (bar.to < from || bar.from > end || !bar.look) continue;
      context.fillText(bar.text, Math.max(x(bar.from), GUTTER) + 5, y + HEIGHT - 8);
    }
  }
}

// The events with the same frame, from the one who publishes it to all who receive it.
let related = new Set();
function relate() {
  const { what, parsed } = events[chosen];
  related = new Set([chosen]);
  if (!parsed) return;
  const body = what.slice(what.indexOf("{"));
  for (const event of events) {
    if (event.parsed && event.what.endsWith(body)) related.add(event.index);
  }
}

function element(name, text, className) {
  const it = document.createElement(name);
  if (text !== undefined) it.textContent = text;
  if (className) it.className = className;
  return it;
}

function showEvents() {
  const position = Math.max(0, shown.findIndex((event) => event.index >= chosen));
  const list = shown.slice(Math.max(0, position - 80), position + 120);
  $("events").replaceChildren(...list.map((event) => {
    const item = element("li", undefined, event.index === chosen ? "chosen" : "");
    item.style.setProperty("--of", `var(--${event.kind})`);
    item.append(element("span", seconds(event.at)), element("b", event.who), element("span", event.text));
    item.onclick = () => choose(event.index);
    return item;
  }));
  const item = $("events").querySelector(".chosen");
  if (item) $("events").scrollTop = item.offsetTop - $("events").offsetTop - 160;
  const event = events[chosen];
  const detail = [element("p", `${event.who === "!" ? "" : event.who} ${event.text}`)];
  if (event.what.startsWith("VIOLATED")) detail.push(element("p", data.property));
  if (event.parsed) detail.push(element("pre", JSON.stringify(event.parsed, null, 2)));
  $("event").replaceChildren(...detail);
}

function showState() {
  const time = events[chosen].at;
  const bad = (lane) => lane.bars.filter((bar) => bar.look && bar.from <= time && time < bar.to).map((bar) => bar.text).join("; ");
  $("state").replaceChildren(...[...lanes.values()].map((lane) => {
    const state = stateAt(lane, time);
    const row = element("tr");
    const text = lane.group === "nodes" ? (state?.text ?? "") : `${state?.text ?? "not there"}${state?.head === undefined ? "" : `, has ${state.head}`}`;
    row.append(element("td", lane.name), element("td", lane.group === "nodes" ? "" : (state?.node ?? "")), element("td", text), element("td", bad(lane), "bad"));
    return row;
  }));
}

function draw() {
  const computed = style();
  const color = (name) => computed.getPropertyValue(name).trim() || "#888";
  drawOverview(color);
  drawLanes(color);
}

function choose(index) {
  chosen = Math.min(Math.max(index, 0), events.length - 1);
  const { at } = events[chosen];
  if (at < from || at > from + span) from = at - span / 2;
  relate();
  $("time").value = seconds(at);
  history.replaceState(null, "", `#${chosen}`);
  showEvents();
  showState();
  draw();
}

function step(by) {
  const position = by > 0 ? shown.findIndex((event) => event.index > chosen) : shown.findLastIndex((event) => event.index < chosen);
  if (position >= 0) choose(shown[position].index);
  else stop();
}

function zoom(factor, at = events[chosen].at) {
  const next = Math.min(Math.max(span * factor, 50), data.end - data.begin);
  from = at - ((at - from) / span) * next;
  span = next;
  draw();
}

function refilter() {
  shown = events.filter(isShown);
  choose(chosen);
}

function stop() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "▶︎ play";
}

function play() {
  if (timer) return stop();
  $("play").textContent = "❚❚ pause";
  timer = setInterval(() => step(1), 250);
}

for (const [kind, name] of Object.entries(KINDS)) {
  const label = element("label");
  const box = element("input");
  const dot = element("span", undefined, "dot");
  box.type = "checkbox";
  box.checked = !OFF.has(kind);
  dot.style.setProperty("--of", `var(--${kind})`);
  box.onchange = () => {
    OFF[box.checked ? "delete" : "add"](kind);
    refilter();
  };
  label.append(box, dot, name);
  $("kinds").append(label);
}
for (const [look, text] of [["up", "runs, or is live"], ["slow", "slow, or connecting"], ["broken", "failing, or reconnecting"], ["down", "does not run, or is offline"]]) {
  const item = element("span");
  const swatch = element("i");
  swatch.style.setProperty("--of", `var(--${look})`);
  item.append(swatch, text);
  $("legend").append(item);
}

$("verdict").append(element("b", data.violation ?? "Every property holds."), ` Seed ${data.seed}, ${events.length.toLocaleString("en")} events in ${((data.end - data.begin) / 60_000).toFixed(1)} minutes.`);
$("verdict").classList.toggle("violated", data.violation !== null);
$("violation").hidden = !violationAt;
const buttons = { first: () => choose(0), back: () => step(-1), play, next: () => step(1), last: () => choose(events.length - 1), violation: () => goTo(violationAt.index) };
for (const [id, act] of Object.entries(buttons)) $(id).onclick = act;
$("filter").oninput = () => {
  filter = $("filter").value.toLowerCase();
  refilter();
};
onkeydown = (event) => {
  if (event.target.id === "filter" || event.ctrlKey || event.metaKey) return;
  const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: buttons.first, End: buttons.last, " ": play, "+": () => zoom(0.5), "-": () => zoom(2) };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
};

const timeAt = (canvas, event, begin, length) => {
  const box = canvas.getBoundingClientRect();
  return begin + ((event.clientX - box.left - GUTTER) / (box.width - GUTTER - 12)) * length;
};
$("lanes").addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt($("lanes"), event, from, span));
}, { passive: false });
let drag = null;
$("lanes").onpointerdown = (event) => {
  drag = { x: event.clientX, from, moved: false };
  $("lanes").setPointerCapture(event.pointerId);
};
$("lanes").onpointermove = (event) => {
  if (!drag) return;
  drag.moved ||= Math.abs(event.clientX - drag.x) > 4;
  from = drag.from - ((event.clientX - drag.x) / ($("lanes").clientWidth - GUTTER - 12)) * span;
  draw();
};
$("lanes").onpointerup = (event) => {
  const wasMoved = drag?.moved;
  drag = null;
  if (wasMoved) return;
  // The nearest event, in time and in its lane.
  const time = timeAt($("lanes"), event, from, span);
  const y = event.clientY - $("lanes").getBoundingClientRect().top;
  const distance = (it) => Math.abs(it.at - time) / span + Math.abs((lanes.get(it.lane ?? it.who)?.y ?? 22) - y) / 400;
  const nearest = shown.reduce((best, it) => (distance(it) < distance(best) ? it : best), shown[0]);
  if (nearest) choose(nearest.index);
};
const move = (event) => {
  from = timeAt($("overview"), event, data.begin, data.end - data.begin) - span / 2;
  draw();
};
$("overview").onpointerdown = (event) => {
  $("overview").setPointerCapture(event.pointerId);
  if (span > (data.end - data.begin) / 2) span = 10_000;
  move(event);
};
$("overview").onpointermove = (event) => event.buttons && move(event);
onresize = draw;
matchMedia("(prefers-color-scheme: dark)").onchange = draw;

function goTo(index) {
  span = Math.min(10_000, data.end - data.begin);
  from = events[index].at - span * 0.7;
  choose(index);
}

shown = events.filter(isShown);
const asked = Number(location.hash.slice(1));
if (asked > 0) goTo(Math.min(asked, events.length - 1));
else if (violationAt) goTo(violationAt.index);
else choose(0);
