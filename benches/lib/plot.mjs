/**
 * Recall against time, one panel a data set, as SVG. An axis of time and one of misses, both logarithmic:
 * there, searches that trade one for the other lie near straight lines. A point's area is its index's
 * bytes per item. Runs everywhere.
 */
import { frontier } from "./compare.mjs";

const WIDTH = 560;
const PLOT = { left: 54, top: 46, width: 480, height: 250 };
const LINE = 17;
const GAP = 26;
/** Ticks of recall; the last one stands for all that misses nothing it could show. */
const RECALLS = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995];
const LEAST_MISS = 1 - RECALLS.at(-1);
/** Square pixels of a point's area for each byte per item. */
const AREA = 0.9;
/** Radius of a point whose index lies in no file. */
const UNKNOWN = 2;

/** Eight hues that differ in lightness too, for a light and a dark page. */
const LIGHT = ["#c2410c", "#1d4ed8", "#15803d", "#7e22ce", "#0e7490", "#be185d", "#a16207", "#475569"];
const DARK = ["#fb923c", "#7da7ff", "#4ade80", "#c99bff", "#3ad2e6", "#ff8cc0", "#e7c14b", "#a8b5c7"];

/** @returns The plot of a record, or `undefined` where no queries were measured. */
export function plot(record) {
  const panels = record.sets.map(panel).filter((one) => one !== undefined);
  if (panels.length === 0) return undefined;
  let y = 74;
  const placed = panels.map(({ height, body }) => {
    const at = y;
    y += height + GAP;
    return `<g transform="translate(0 ${at})">\n${body.join("\n")}\n</g>`;
  });
  const { date, commit, cpu } = record.machine;
  const title = "Recall against time, one thread";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}"`,
    ` role="img" aria-label="${title}">`,
    `<style>\n${style()}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${y}"/>`,
    text(14, 24, title, "title"),
    text(14, 43, `${date}, commit ${commit}, ${cpu}`, "note"),
    text(14, 59, `A point's area is its index's bytes per item. Of a peer, settings that no other one beats.`, "note"),
    ...placed,
    "</svg>",
    "",
  ].join("\n");
}

function panel(set) {
  const host = set.hosts.find(({ results }) => results !== undefined);
  if (host === undefined) return undefined;
  const results = host.results.filter(({ recall, below }) => recall !== undefined && below === undefined);
  const series = [...new Set(results.map(({ peer }) => peer))].map((peer, i) => ({
    hue: i % LIGHT.length,
    name: results.find((result) => result.peer === peer).name,
    bytes: set.indexes.find((index) => index.peer === peer)?.bytesPerItem,
    points: frontier(results.filter((result) => result.peer === peer)),
  }));
  const all = series.flatMap(({ points }) => points);
  const scale = { x: logarithmic(decades(all.map(({ ms }) => ms))), y: recallScale(all) };
  return {
    height: PLOT.top + PLOT.height + 44 + LINE * series.length,
    body: [
      text(14, 14, `${set.name}, ${set.metric.replace("_", " ")}`, "heading"),
      ...axes(scale),
      // The largest points first, so that none is hidden.
      ...series.toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0)).map((one) => drawn(one, scale)),
      ...series.map(legend),
    ],
  };
}

function drawn({ hue, name, bytes, points }, { x, y }) {
  const at = points.map((point) => ({ ...point, x: round(x.of(point.ms)), y: round(y.of(point.recall)) }));
  const radius = bytes === undefined ? UNKNOWN : round(Math.sqrt((AREA * bytes) / Math.PI));
  const told = ({ variant, ms, recall }) =>
    escaped(`${name} ${variant}: ${ms.toPrecision(3)} ms, recall ${recall.toFixed(4)}, ${size(bytes)}`);
  return [
    `<g class="hue${hue}">`,
    `<polyline points="${at.map((point) => `${point.x},${point.y}`).join(" ")}"/>`,
    ...at.map(
      (point) => `<circle cx="${point.x}" cy="${point.y}" r="${radius}"><title>${told(point)}</title></circle>`,
    ),
    "</g>",
  ].join("\n");
}

function axes({ x, y }) {
  const right = PLOT.left + PLOT.width;
  const bottom = PLOT.top + PLOT.height;
  return [
    ...x.ticks.flatMap((tick) => [
      line(x.of(tick), PLOT.top, x.of(tick), bottom),
      text(x.of(tick), bottom + 15, String(tick), "tick middle"),
    ]),
    ...y.ticks.flatMap((tick) => [
      line(PLOT.left, y.of(tick), right, y.of(tick)),
      text(PLOT.left - 6, y.of(tick) + 4, tick === RECALLS.at(-1) ? "1" : String(tick), "tick end"),
    ]),
    text(right, bottom + 30, "milliseconds a query", "tick end"),
    text(PLOT.left, PLOT.top - 15, "ann_recall_at_10", "tick"),
  ];
}

function legend({ hue, name, bytes }, i) {
  const y = PLOT.top + PLOT.height + 44 + LINE * i;
  const dot = `<circle class="hue${hue}" cx="${PLOT.left + 5}" cy="${y - 4}" r="5"/>`;
  return `${dot}\n${text(PLOT.left + 18, y, `${name}, ${size(bytes)}`, "tick")}`;
}

/** Marks at 1, 2 and 5 of every decade between the ends, which are such marks too. */
function decades(values) {
  const marks = [];
  for (let power = -6; power <= 6; power += 1) {
    for (const step of [1, 2, 5]) marks.push(Number(`${step}e${power}`));
  }
  const first = marks.findLastIndex((mark) => mark <= Math.min(...values));
  const last = marks.findIndex((mark) => mark >= Math.max(...values));
  return marks.slice(first, Math.max(last, first + 1) + 1);
}

function logarithmic(ticks) {
  const [low, high] = [Math.log(ticks[0]), Math.log(ticks.at(-1))];
  return { ticks, of: (value) => PLOT.left + (PLOT.width * (Math.log(value) - low)) / (high - low) };
}

/** From the mark below the worst recall up: every next mark is nearer to 1 by about the same factor. */
function recallScale(points) {
  const worst = Math.min(...points.map(({ recall }) => recall));
  const ticks = RECALLS.slice(Math.max(0, RECALLS.findLastIndex((recall) => recall <= worst)));
  const depth = (recall) => -Math.log(Math.min(Math.max(1 - recall, LEAST_MISS), 1 - ticks[0]));
  const [low, high] = [depth(ticks[0]), depth(1)];
  const of = (recall) => PLOT.top + PLOT.height * (1 - (depth(recall) - low) / (high - low || 1));
  return { ticks, of };
}

function style() {
  const hues = (colours) => colours.map((colour, i) => `.hue${i}{--hue:${colour}}`).join("");
  return [
    `svg{--ink:#1f2937;--rule:#d8dee6;--page:#ffffff}${hues(LIGHT)}`,
    `@media (prefers-color-scheme:dark){svg{--ink:#e5e9f0;--rule:#3a4453;--page:#14181f}${hues(DARK)}}`,
    ".page{fill:var(--page)}line{stroke:var(--rule)}",
    "text{fill:var(--ink);font:12px system-ui,sans-serif}.note,.tick{font-size:11px}",
    ".title{font-size:17px;font-weight:600}.heading{font-size:13px;font-weight:600}",
    ".middle{text-anchor:middle}.end{text-anchor:end}",
    "polyline{fill:none;stroke:var(--hue);stroke-width:1.5}circle{fill:var(--hue);fill-opacity:.55;stroke:var(--hue)}",
  ].join("\n");
}

const size = (bytes) => (bytes === undefined ? "bytes unknown" : `${bytes.toFixed(1)} bytes an item`);
const round = (number) => Math.round(number * 10) / 10;
const line = (x1, y1, x2, y2) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
const text = (x, y, content, kind) =>
  `<text class="${kind}" x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`;
const escaped = (content) => content.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
