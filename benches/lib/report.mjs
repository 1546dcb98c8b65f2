/** Turns results into lines that a person reads. */
import { TURN } from "./measure.mjs";
import { met } from "./table.mjs";

/**
 * @param record - What run.mjs writes as JSON.
 * @returns The text beside it.
 */
export function text(record) {
  const { machine, hosts, sets, sizes } = record;
  const lines = [
    `nearfield benchmark, ${machine.date}, commit ${machine.commit}${machine.changed ? " with changes" : ""}`,
    `${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.os}`,
    `Load of the machine at the start: ${fixed(machine.load, 2)}${machine.load > 0.5 ? " (other work was going on, which slows long calls more than short ones: repeat it when idle)" : ""}`,
    `${machine.rustc}; ${hosts.map(({ name, version }) => `${name} ${version}`).join("; ")}`,
    "One thread, k = 10, peers in turn in one run. Compare within a run: milliseconds move from machine to",
    `machine. p50 and p99 are over single calls; "in a row" is the median time per call over turns of ${TURN}.`,
    "Where p50 is less than 20 steps of the clock, \"in a row\" is what is compared. Native peers take turns with",
    "those in the page, in a process of their own; theirs \"in a row\" is over turns of as many queries in one",
    "call, and the smaller of it and p50 is compared. Times at equal recall lie between two settings.",
    "",
    ...promises(sets.flatMap(({ table }) => table)),
  ];
  for (const set of sets) {
    lines.push("", `== ${set.name}, ${set.metric}, base ${set.digest}`, "", ...indexes(set));
    for (const host of set.hosts) lines.push("", ...queries(host), ...first(host));
  }
  lines.push("", "== Sizes", "", ...code(sizes.code), "", ...archive(sizes.films));
  return `${lines.join("\n")}\n`;
}

/** What was promised beside what was measured; a ratio is our time over the other. */
function promises(rows) {
  if (rows.length === 0) return [];
  const cells = rows.map((row) => [
    row.what,
    row.recall === undefined ? "" : `${fixed(row.recall, 4)} (${fixed(row.recallFloor, 3)})`,
    fixed(row.ms, 3),
    `${fixed(row.ratio, 3)} (${fixed(row.atMost, 3)})`,
    row.against,
    row.bytes === undefined ? "" : `${fixed(row.bytes, 1)} (${row.bytesAtMost})`,
    met(row) ? "met" : "not met",
  ]);
  const head = ["", "recall (least)", "ms", "ratio (most)", "to", "bytes (most)", ""];
  const widths = head.map((word, i) => Math.max(word.length, ...cells.map((row) => row[i].length)));
  return [head, ...cells].map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}

function indexes({ rows, indexes: list }) {
  return list.flatMap(({ name, bytes, sections }) => [
    `${name.padEnd(26)}${grouped(bytes).padStart(14)} bytes of index ${fixed(bytes / rows, 1).padStart(8)} an item`,
    ...(sections ?? []).map(
      (section) => `  ${section.name.padEnd(24)}${grouped(section.bytes).padStart(14)}${fixed(section.bytes / rows, 1).padStart(24)}`,
    ),
  ]);
}

function queries({ host, clockMs, results, ratios }) {
  if (results === undefined) return [];
  return [
    `-- ${host}: milliseconds a query (clock: ${fixed(clockMs * 1000, 1)} microseconds)`,
    `${"".padEnd(34)}${["p50", "p99", "in a row", "recall@10"].map((word) => word.padStart(10)).join("")}`,
    ...results.map(
      ({ name, variant, p50, p99, inARow, recall }) =>
        `${`${name} ${variant}`.padEnd(34)}` +
        [fixed(p50, 3), fixed(p99, 3), fixed(inARow, 3), recall === undefined ? "" : fixed(recall, 4)]
          .map((n) => n.padStart(10))
          .join(""),
    ),
    ...ratios.map(({ peer, variant, against, ratio }) =>
      ratio === undefined
        ? `${peer} does not reach the recall of ${against}`
        : `${peer} ${variant}`.trim() + ` / ${against}: ${fixed(ratio, 2)} times the time`,
    ),
  ];
}

function first({ host, firsts }) {
  if (firsts === undefined) return [];
  return [
    "",
    `-- ${host}: milliseconds from the index's bytes in an ArrayBuffer to the first answer, nothing warm`,
    ...firsts.flatMap(({ name, totalMs, copyMs, sinceLastByteMs, steps }) => [
      `${name.padEnd(34)}${fixed(totalMs, 2).padStart(10)}   (copying those bytes ${fixed(copyMs, 2)}${
        sinceLastByteMs === undefined ? "" : `; ${fixed(sinceLastByteMs, 2)} after the last byte was in its memory`
      })`,
      ...steps.map((step) => `  ${step.name.padEnd(50)}${fixed(step.ms, 2).padStart(8)}`),
    ]),
  ];
}

function code([module, glue, script]) {
  const sum = (path, ...rows) => ({
    path,
    bytes: rows.reduce((total, row) => total + row.bytes, 0),
    brotli: rows.reduce((total, row) => total + row.brotli, 0),
  });
  return [
    module,
    glue,
    { ...script, path: `${script.path}, glue included` },
    sum("module and glue", module, glue),
    sum("module and all JavaScript", module, script),
  ].map(
    ({ path, bytes, brotli }) =>
      `${path.padEnd(34)}${grouped(bytes).padStart(10)} bytes ${grouped(brotli).padStart(10)} after brotli`,
  );
}

function archive({ path, items, bytes, sections }) {
  return [
    `${path}: ${grouped(items)} items, ${grouped(bytes)} bytes, ${fixed(bytes / items, 1)} an item`,
    ...sections.map(
      ({ name, bytes: own }) => `  ${name.padEnd(24)}${grouped(own).padStart(14)}${fixed(own / items, 1).padStart(10)} an item`,
    ),
  ];
}

const fixed = (number, digits) => number.toFixed(digits);
const grouped = (number) => number.toLocaleString("en-US");
