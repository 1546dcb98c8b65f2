/** One task in a Node process of its own; started by host-node.mjs. */
import { readFile } from "node:fs/promises";
import { tasks } from "./measure.mjs";

const root = new URL("../../", import.meta.url);

const host = {
  name: "node",
  url: (path) => new URL(path, root).href,
  async read(path) {
    const bytes = await readFile(new URL(path, root));
    // An ArrayBuffer of exactly the file: small files come out of a pool that they share.
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  },
};

process.once("message", async ({ task, job }) => {
  process.send(await tasks[task](job, host));
  process.disconnect();
});
