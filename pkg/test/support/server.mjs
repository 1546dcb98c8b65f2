/** A small HTTP server for one test, whose handler decides everything. */
import { createServer } from "node:http";

/**
 * Starts it on a free port of this machine.
 *
 * @returns The address of its root, ending with a slash.
 */
export async function listen(t, handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}
