/** Programs that print what they measured and keep it in `benches/record/`. */
import { writeFileSync } from "node:fs";
import { openChromium } from "./host-chromium.mjs";
import { machine } from "./machine.mjs";
import { absolute, BenchError, say } from "./tools.mjs";

/**
 * Runs a measurement in headless Chromium and keeps what it printed. A failure that has a message of its
 * own ends the program with that and exit status 1.
 *
 * @param kind - What is measured, in one word: a part of the record's file name.
 * @param title - The same, for the first line.
 * @param measure - Gets the host and the function that prints a line.
 */
export async function recorded(kind, title, measure) {
  const lines = [];
  const print = (line) => {
    console.log(line);
    lines.push(line);
  };
  try {
    const { date, commit, changed, cpu, load } = machine();
    print(`${title}, ${date}, commit ${commit}${changed ? " with changes" : ""}; ${cpu}, load ${load.toFixed(2)}`);
    const host = await openChromium();
    try {
      print(`${host.name} ${host.version}`);
      await measure(host, print);
    } finally {
      await host.close();
    }
    const record = `benches/record/${date}-${commit}-${kind}.txt`;
    writeFileSync(absolute(record), `${lines.join("\n")}\n`);
    say(`kept as ${record}`);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  }
}
